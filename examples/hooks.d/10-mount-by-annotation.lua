-- Mounts a directory of the host where an annotation says:
--   podman run --annotation example.mount=/srv/data:/data ...
return {
  config = function(container)
    local config = container.config
    local wish = (config.annotations or {})["example.mount"]
    if not wish then
      return
    end
    local source, destination = wish:match("^(/srv/[^:]*):(/[^:]+)$")
    if not source or source:find("/%.%.") then
      error("example.mount: expected /srv/DIRECTORY:DESTINATION, got " .. wish, 0)
    end
    table.insert(config.mounts, { destination = destination, type = "bind", source = source,
      options = { "rbind", "ro", "nosuid", "nodev" } })
  end,
}
