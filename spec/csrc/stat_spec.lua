local sys = require "container.sys"
local support = require "spec.support"

local function octal(text)
  return tonumber(text, 8)
end

-- As stat(1) sees it.
local function seen(path, format)
  return (support.run(("stat -c %s %s"):format(support.quote(format), path)).stdout:gsub("\n", ""))
end

describe("sys.stat", function()
  it("answers what stat(1) does", function()
    local path = support.tmpdir()
    sys.mknod(path .. "/file", "file", octal("1711"))
    sys.write_file(path .. "/file", "12345")
    local st = sys.stat(path .. "/file")
    assert.same({
      type = "file", mode = octal("1711"), size = 5, nlink = st.nlink, uid = st.uid, gid = st.gid,
      dev = st.dev, ino = st.ino, mtime = st.mtime,
    }, st)
    assert.equal(seen(path .. "/file", "%h %u %g %d %i %.9Y"),
      ("%d %d %d %d %d %d.%09d"):format(st.nlink, st.uid, st.gid, st.dev, st.ino,
        st.mtime // 1000000000, st.mtime % 1000000000))
  end)

  it("answers fields alone, in the order in which they are named", function()
    local st = sys.stat("/dev/null")
    assert.same({ "char", 1, 3, st.mtime, st.mtime },
      { sys.stat("/dev/null", "type", "major", "minor", "mtime", "mtime") })
    assert.same({ n = 3, "directory", nil, sys.stat("/").uid },
      table.pack(sys.stat("/", "type", "major", "uid")))
    support.raises("invalid option 'nope'", sys.stat, "/", "type", "nope")
    support.raises("string expected", sys.stat, "/", {})
  end)

  it("names each type, and that of an fd", function()
    local path = support.tmpdir()
    sys.mknod(path .. "/fifo", "fifo", octal("600"))
    sys.symlink("/", path .. "/link")
    assert.equal("fifo", sys.stat(path .. "/fifo").type)
    assert.equal("directory", sys.stat(path .. "/link").type)
    assert.equal("char", sys.stat("/dev/null").type)
    assert.equal("file", sys.stat("/proc/version").type)
    local socket <close> = sys.socketpair()
    assert.equal("socket", sys.stat(socket).type)
    local link <close> = assert(sys.open(path .. "/link", "path,nofollow"))
    assert.equal("link", sys.stat(link).type)
    assert.equal("link", sys.stat(link:fileno()).type)
  end)

  it("names a block device #root", function()
    local path = support.tmpdir() .. "/block"
    assert(sys.mknod(path, "block", octal("600"), 250, 1))
    assert.equal("block", sys.stat(path).type)
  end)

  it("is refused what is not there", function()
    support.refused("stat /nope: No such file or directory", "ENOENT", sys.stat("/nope"))
    support.refused("stat: Bad file descriptor", 9, sys.stat(100000))
  end)

  it("raises for what is neither path nor fd", function()
    support.raises("container.fd expected", sys.stat)
    support.raises("NUL byte", sys.stat, "/\0")
    support.raises("number out of range", sys.stat, -1)
  end)
end)
