local container = require "container"
local support = require "spec.support"

describe("container.inotify", function()
  it("can be read after the file was written, and not before", function()
    local path = support.tmpdir() .. "/file"
    assert(assert(io.open(path, "w")):close())
    local fd <close> = assert(container.inotify(path))
    assert.is_nil(container.ppoll({ fd }, 0)[1])
    local _, _, errno = container.read(fd)
    assert.equal(container.errno.EAGAIN, errno)
    assert(container.write_file(path, "x"))
    assert.is_true(container.ppoll({ fd }, 5)[1])
    assert.truthy(#container.read(fd) > 0)
    assert.is_nil(container.ppoll({ fd }, 0)[1])
  end)

  it("is refused a file that is not there", function()
    support.refused("inotify_add_watch /no/such: No such file or directory", "ENOENT",
      container.inotify("/no/such"))
  end)

  it("raises for what is no path", function()
    support.raises("string expected", container.inotify)
  end)
end)

describe("container.eventfd", function()
  it("can be read when others have added to it, as the sum", function()
    local fd <close> = assert(container.eventfd())
    local _, _, errno = container.read(fd)
    assert.equal(container.errno.EAGAIN, errno)
    assert(container.write(fd, string.pack("=I8", 2)))
    assert(container.write(fd, string.pack("=I8", 3)))
    assert.is_true(container.ppoll({ fd }, 5)[1])
    assert.equal(5, string.unpack("=I8", container.read(fd)))
  end)
end)
