local sys = require "container.sys"
local support = require "spec.support"

local ALL <const> = "execute,write_file,read_file,read_dir,remove_dir,remove_file,make_char,\z
  make_dir,make_reg,make_sock,make_fifo,make_block,make_sym"

describe("sys.landlock_abi", function()
  it("is a version from 1 #landlock", function()
    local abi = sys.landlock_abi()
    assert.equal("integer", math.type(abi))
    assert.is_true(abi >= 1)
  end)
end)

describe("a ruleset #landlock", function()
  it("is an fd that closes itself", function()
    local ruleset <close> = assert(sys.landlock_create_ruleset(ALL))
    assert.matches("landlock", sys.readlink("/proc/self/fd/" .. ruleset:fileno()))
  end)

  it("gives what its rules give and takes the rest of what it is about", function()
    local inside, outside = support.tmpdir(), support.tmpdir()
    local made, seen, refused, removed, untouched = support.child(function()
      local ruleset <close> = assert(sys.landlock_create_ruleset("make_dir,remove_dir"))
      local place <close> = assert(sys.open(inside, "path"))
      assert(sys.landlock_add_rule(ruleset, place, "make_dir"))
      assert(sys.no_new_privs())
      assert(sys.landlock_restrict_self(ruleset))
      local _, message = sys.mkdir(outside .. "/a")
      local ok = sys.mkdir(inside .. "/a")
      local _, removal = sys.rmdir(inside .. "/a")
      return ok, sys.stat(inside .. "/a").type, message, removal,
        sys.read_file("/proc/self/comm") ~= nil
    end)
    assert.same({ true, "directory", true }, { made, seen, untouched })
    assert.equal(("mkdir %s/a: Permission denied"):format(outside), refused)
    assert.equal(("rmdir %s/a: Permission denied"):format(inside), removed)
  end)

  it("holds for what comes after it, and is one of several", function()
    local path = support.tmpdir()
    assert.same("12", support.child(function()
      local said = ""
      assert(sys.no_new_privs())
      for i = 1, 2 do
        local ruleset <close> = assert(sys.landlock_create_ruleset("make_dir"))
        local place <close> = assert(sys.open(path, "path"))
        assert(i == 2 or sys.landlock_add_rule(ruleset, place, "make_dir"))
        assert(sys.landlock_restrict_self(ruleset))
        local pid = assert(sys.clone({}, function()
          sys._exit(sys.mkdir(path .. "/" .. i) and 0 or 3)
        end))
        local _, status = sys.wait(pid)
        said = said .. (status == (i == 1 and 0 or 3) and i or "?")
      end
      return said
    end))
  end)

  it("cannot be held to without the promise of no_new_privs and without privilege", function()
    local result = support.as_user(support.lua .. [[ -e 'local sys = require "container.sys"
      print(sys.landlock_restrict_self(
        assert(sys.landlock_create_ruleset("make_dir"))))']])
    assert.equal("nil\tlandlock_restrict_self: Operation not permitted\t1\n", result.stdout)
  end)

  it("gives no right that it is not about, nor to a file one of directories", function()
    local ruleset <close> = assert(sys.landlock_create_ruleset("read_file,read_dir"))
    local file <close> = assert(sys.open("/etc/passwd", "path"))
    local refusal = "landlock_add_rule: Invalid argument"
    support.refused(refusal, "EINVAL", sys.landlock_add_rule(ruleset, file, "write_file"))
    support.refused(refusal, "EINVAL", sys.landlock_add_rule(ruleset, file, "read_dir"))
    assert.is_true(sys.landlock_add_rule(ruleset, file, "read_file"))
  end)

  it("has to be about something", function()
    support.refused("landlock_create_ruleset: No message of desired type", 42,
      sys.landlock_create_ruleset(""))
  end)

  it("is no other fd", function()
    local file <close> = assert(sys.open("/etc/passwd"))
    assert.is_nil((sys.landlock_add_rule(file, file, "read_file")))
    support.child(function()
      assert(sys.no_new_privs())
      assert(not sys.landlock_restrict_self(file))
    end)
  end)

  it("takes no other types and no unknown right", function()
    support.raises("unknown right 'read'", sys.landlock_create_ruleset, "read")
    support.raises("string expected", sys.landlock_create_ruleset, 1)
    support.raises("container.fd expected", sys.landlock_add_rule, "1", 1, "execute")
    support.raises("unknown right 'x'", sys.landlock_add_rule, 0, 0, "x")
    support.raises("container.fd expected", sys.landlock_restrict_self)
  end)
end)
