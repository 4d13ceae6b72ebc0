local sys = require "container.sys"
local support = require "spec.support"

describe("sys.inotify", function()
  it("can be read after the file was written, and not before", function()
    local path = support.tmpdir() .. "/file"
    assert(assert(io.open(path, "w")):close())
    local fd <close> = assert(sys.inotify(path))
    assert.is_nil(sys.ppoll({ fd }, 0)[1])
    local _, _, errno = sys.read(fd)
    assert.equal(sys.errno.EAGAIN, errno)
    assert(sys.write_file(path, "x"))
    assert.is_true(sys.ppoll({ fd }, 5)[1])
    assert.truthy(#sys.read(fd) > 0)
    assert.is_nil(sys.ppoll({ fd }, 0)[1])
  end)

  it("is refused a file that is not there", function()
    support.refused("inotify_add_watch /no/such: No such file or directory", "ENOENT",
      sys.inotify("/no/such"))
  end)

  it("raises for what is no path", function()
    support.raises("string expected", sys.inotify)
  end)
end)

describe("sys.eventfd", function()
  it("can be read when others have added to it, as the sum", function()
    local fd <close> = assert(sys.eventfd())
    local _, _, errno = sys.read(fd)
    assert.equal(sys.errno.EAGAIN, errno)
    assert(sys.write(fd, string.pack("=I8", 2)))
    assert(sys.write(fd, string.pack("=I8", 3)))
    assert.is_true(sys.ppoll({ fd }, 5)[1])
    assert.equal(5, string.unpack("=I8", sys.read(fd)))
  end)
end)
