local sys = require "container.sys"
local support = require "spec.support"

local HEADER <const> = "<c4BBBBBc7I2I2I4I8I8I8I4I2I2I2I2I2I2"
local SEGMENT <const> = "<I4I4I8I8I8I8I8I8"

-- The header of an executable, and its segments. elf(5)
local function parse(image)
  local magic, class, data, version, _, _, _, kind, machine, _, entry, offset, _, _, size,
    segment_size, segments = HEADER:unpack(image)
  local header = {
    magic = magic, class = class, data = data, version = version, kind = kind,
    machine = machine, entry = entry, size = size, segment_size = segment_size,
  }
  for i = 1, segments do
    local type, flags, start, address, _, in_file, in_memory, align = SEGMENT:unpack(image,
      offset + 1 + (i - 1) * segment_size)
    header[i] = {
      type = type, flags = flags, start = start, address = address, in_file = in_file,
      in_memory = in_memory, align = align,
    }
  end
  return header
end

describe("sys.init_program", function()
  local image = sys.init_program()

  it("answers the same bytes each time, and few of them", function()
    assert.is_true(image == sys.init_program())
    assert.is_true(#image < 16384, #image)
  end)

  it("is an executable of this machine that needs no interpreter", function()
    local header = parse(image)
    assert.equal("\127ELF", header.magic)
    assert.same({ 2, 1, 1, 3 }, { header.class, header.data, header.version, header.kind })
    assert.equal(({ x86_64 = 62, aarch64 = 183 })[sys.uname().machine], header.machine)
    assert.same({ 64, HEADER:packsize() }, { header.size, header.size })
    assert.same({ 56, SEGMENT:packsize() }, { header.segment_size, header.segment_size })
    assert.equal(2, #header)
  end)

  it("is one segment that cannot be written, and a stack that cannot be executed", function()
    local header = parse(image)
    local load, stack = header[1], header[2]
    assert.same({
      type = 1, flags = 5, start = 0, address = 0, in_file = #image, in_memory = #image,
      align = 4096,
    }, load)
    assert.equal(0x6474e551, stack.type)
    assert.equal(6, stack.flags)
    assert.is_true(header.entry >= header.size + 2 * header.segment_size)
    assert.is_true(header.entry < #image)
  end)

  it("is read by other programs as what it is", function()
    support.needs("readelf")
    local path = support.tmpdir() .. "/image"
    local file <close> = io.open(path, "wb")
    file:write(image)
    file:close()
    local result = support.run("readelf -hlW " .. path)
    assert.equal(0, result.status)
    assert.equal("", result.stderr)
    assert.matches("LOAD +0x0+ 0x0+ 0x0+ 0x%x+ 0x%x+ R E 0x1000", result.stdout)
    assert.matches("GNU_STACK .* RW ", result.stdout)
  end)

  it("has nothing in it that would have to be relocated", function()
    support.needs("objdump")
    local object = "build/init.o"
    if not sys.stat(object) then
      pending("the object that it was linked from is not here")
    end
    local listing = support.run("objdump -r -j lua_container_init " .. object)
    assert.equal(0, listing.status, listing.stderr)
    assert.is_nil(listing.stdout:find("R_", 1, true), listing.stdout)
  end)

  it("is what stands in the module, byte for byte", function()
    local module = sys.read_file(assert(package.searchpath("container", package.cpath)))
    local entry = parse(image).entry
    assert.is_truthy(module:find(image:sub(entry + 1), 1, true))
  end)
end)
