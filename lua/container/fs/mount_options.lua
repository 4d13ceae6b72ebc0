-- What the words of a mount mean: those of mount(8), and OCI's own. mount_setattr(2); OCI runtime
-- specification, config, "Linux mount options"

local mount_options = {}

local function set_of(text)
  local set = {}
  for word in text:gmatch("%S+") do
    set[word] = true
  end
  return set
end

-- Flags of mount(2), and the words that take one away again.
local FLAGS <const> = set_of("ro nosuid nodev noexec noatime nodiratime relatime strictatime sync "
  .. "dirsync nosymfollow silent lazytime iversion mand")
local CONTRARY <const> = {
  rw = "ro", suid = "nosuid", dev = "nodev", exec = "noexec", atime = "noatime",
  diratime = "nodiratime", norelatime = "relatime", nostrictatime = "strictatime",
  symfollow = "nosymfollow", async = "sync", loud = "silent", nolazytime = "lazytime",
  noiversion = "iversion", nomand = "mand",
}

-- What mount_setattr(2) knows, by what it is about: of several words the last holds. A file has one
-- way of keeping its time of access, and relatime is the kernel's own.
local ATTRIBUTES <const> = {
  ro = "ro", rw = "ro", nosuid = "suid", suid = "suid", nodev = "dev", dev = "dev",
  noexec = "exec", exec = "exec", nosymfollow = "follow", symfollow = "follow",
  nodiratime = "diratime", diratime = "diratime", noatime = "atime", relatime = "atime",
  strictatime = "atime", atime = "atime", norelatime = "atime", nostrictatime = "atime",
}
local ATTRIBUTE_OF <const> =
  { atime = "relatime", norelatime = "relatime", nostrictatime = "relatime" }
local SUBJECTS <const> = { "ro", "suid", "dev", "exec", "follow", "diratime", "atime" }

local PROPAGATION <const> = set_of "private slave shared unbindable"

--- The chosen words in one order.
local function joined(chosen)
  local list = {}
  for _, subject in ipairs(SUBJECTS) do
    list[#list + 1] = chosen[subject]
  end
  return #list > 0 and table.concat(list, ",") or nil
end

--- The word behind an r, which means all that is mounted below as well: rro, rprivate.
local function below(word, known)
  local rest = word:match("^r(.+)$")
  return rest and known[rest] and rest or nil
end

--- One word. Answers whether it is known.
local function read_word(how, word)
  local attribute, deep = ATTRIBUTES[word], below(word, ATTRIBUTES)
  if attribute then
    how.own[attribute] = ATTRIBUTE_OF[word] or word
  elseif deep then
    how.deep[ATTRIBUTES[deep]] = ATTRIBUTE_OF[deep] or deep
    how.strict = true
    return true
  end
  if FLAGS[word] or CONTRARY[word] then
    how.on[CONTRARY[word] or word] = FLAGS[word] or nil
  elseif PROPAGATION[word] then
    how.propagation[#how.propagation + 1] = word
  elseif below(word, PROPAGATION) then
    how.propagation[#how.propagation + 1] = "rec," .. word:sub(2)
  elseif word == "bind" or word == "rbind" then
    how.bind, how.single = true, word == "bind"
  elseif word == "idmap" or word == "ridmap" then
    how.idmap, how.idmap_below = true, word == "ridmap"
  elseif word == "tmpcopyup" or word == "remount" then
    how[word] = true
  else
    return word == "defaults" or word == ""
  end
  return true
end

local function flags_of(on)
  local list = {}
  for word in pairs(on) do
    list[#list + 1] = word
  end
  table.sort(list)
  return table.concat(list, ",")
end

--- Reads the options of a mount.
-- @tparam[opt] table options array of words; of contrary ones the last holds
-- @bool[opt] literal as OCI has it: plain words are about the mount alone, also of one that has
-- others below it. A bind passes nothing on unless it says so
-- @treturn table flags and data, strings as sys.mount takes them; bind; single: without the mounts
-- below it; top and all, attributes as sys.mount_setattr takes them, of the mount alone and also of
-- those below, which with `strict` is refused where only the former can be; propagation, an array
-- of the same; idmap, idmap_below, tmpcopyup, remount
function mount_options.read(options, literal)
  local how = { on = {}, own = {}, deep = {}, propagation = {} }
  local data = {}
  for _, word in ipairs(options or {}) do
    if not read_word(how, word) then
      data[#data + 1] = word
    end
  end
  how.flags, how.data = flags_of(how.on), table.concat(data, ",")
  if how.bind and not how.propagation[1] then
    how.propagation[1] = "rec,private"
  end
  if literal then
    how.top, how.all = joined(how.own), joined(how.deep)
  else
    for subject, word in pairs(how.deep) do
      how.own[subject] = word
    end
    how.all = joined(how.own)
  end
  how.on, how.own, how.deep = nil, nil, nil
  return how
end

--- The words that are known.
-- @treturn table set
function mount_options.names()
  local set = { bind = true, rbind = true, tmpcopyup = true, idmap = true, ridmap = true }
  for _, known in ipairs { FLAGS, CONTRARY } do
    for word in pairs(known) do
      set[word] = true
    end
  end
  for word in pairs(ATTRIBUTES) do
    set["r" .. word] = true
  end
  for word in pairs(PROPAGATION) do
    set[word], set["r" .. word] = true, true
  end
  return set
end

return mount_options
