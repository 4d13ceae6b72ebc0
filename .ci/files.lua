-- The files of the tree by their names, for the checks of .ci/lint.

--- Gives the files whose names have one of the patterns: those of git, else all but built ones.
-- @treturn table array of paths in order
return function(...)
  local list = {}
  local command = "git -c safe.directory='*' ls-files -co --exclude-standard 2>/dev/null || find . "
    .. "-type f -not -path './build/*' -not -path './rootfs/*' | sed 's,^./,,'"
  local pipe <close> = assert(io.popen("{ " .. command .. "; } | sort -u"))
  for path in pipe:lines() do
    for _, pattern in ipairs { ... } do
      if path:find(pattern) and io.open(path) then
        list[#list + 1] = path
        break
      end
    end
  end
  return list
end
