-- man/lua-container.1, in the man(7) macros.

local help = require "container.cli.help"

local HEAD <const> = [[
.\" Made by docs/generate.lua: edit it and lua/container/config/options/ instead.
.TH LUA\-CONTAINER 1 2026-12-01 "%s" "User Commands"
.SH NAME
lua\-container \- run a command in a Linux container
.SH SYNOPSIS
.B lua\-container
.RI [ OPTION ...]
.RB [ \-\- ]
.I COMMAND
.RI [ ARG ...]
.SH DESCRIPTION
.B lua\-container
makes a container, runs
.I COMMAND
in it, waits for its end, and removes everything that it made.
The container has its own processes, host name, network, mounts and files.
Without
.B \-\-rootfs
its root is a copy\-on\-write overlay of the host's own files;
everything that is written there is lost at the end.
It works as root and as an ordinary user.
.PP
Options have the names and values of
.B docker run
where docker has them.
A value follows after a space or
.BR = ;
switches with one letter can be joined, as in
.BR \-it .
.SH OPTIONS
]]

local TAIL <const> = [[
.SH EXIT STATUS
.TP
.I n
.I COMMAND
ended with this status.
.TP
.RI 128+ n
Signal
.I n
ended
.IR COMMAND .
.TP
.B 125
There was no container; the last line on standard error says why.
.TP
.B 126
.I COMMAND
could not be executed.
.TP
.B 127
.I COMMAND
was not found.
.SH ENVIRONMENT
.TP
.B LUA_CONTAINER_DEBUG
With the value 1 the command behaves as with
.BR \-\-debug .
.TP
.B TERM
It is passed to the container.
.SH SIGNALS
TERM, INT, HUP, QUIT, USR1, USR2 and WINCH that reach the launcher are passed to
.IR COMMAND .
After TERM, processes that are left when the stop timeout is over are killed.
When the launcher dies, for any reason, the container ends.
.SH EXAMPLES
A shell with at most 64 MiB of memory, without network:
.PP
.RS
.EX
lua\-container \-\-memory 64M /bin/bash
.EE
.RE
.PP
A command with a read\-only directory of the host, for at most five seconds:
.PP
.RS
.EX
lua\-container \-q \-v ./data:/data:ro \-\-timeout 5 wc \-l /data/list
.EE
.RE
.SH SEE ALSO
.BR bwrap (1),
.BR capabilities (7),
.BR cgroups (7),
.BR namespaces (7),
.BR user_namespaces (7)
]]

local function escape(text)
  text = text:gsub("\\", "\\e"):gsub("%-", "\\-")
  return (text:gsub("^([.'])", "\\&%1"))
end

-- The word in bold and its value in italics.
local function term(spelling)
  local word, value = escape(spelling[1]), spelling.value and escape(spelling.value)
  if spelling.short then
    return (".BR \\-%s \", \" %s%s"):format(spelling.short, word,
      value and (" \" \\fI%s\\fR\""):format(value) or "")
  elseif value then
    return (".BI %s \" %s\""):format(word, value)
  elseif spelling.values then
    return (".BR %s [=%s]"):format(word, table.concat(spelling.values, "|"))
  end
  return ".B " .. word
end

--- Adds a text, with each sentence on a line of its own, of at most 76 characters.
local function add(lines, text)
  for sentence in text:gsub("([.;:]) (%u)", "%1\n%2"):gmatch("[^\n]+") do
    for _, line in ipairs(help.wrap(sentence, 76)) do
      lines[#lines + 1] = escape(line)
    end
  end
end

return function(version)
  local lines = {}
  help.groups(function(title, list)
    lines[#lines + 1] = ".SS " .. title
    for _, one in ipairs(list) do
      lines[#lines + 1] = ".TP\n" .. term(one.spelling)
      add(lines, help.sentence(one.entry, one.spelling))
      add(lines, one.spelling.help and "" or one.entry.more or "")
    end
  end)
  return HEAD:format(version) .. table.concat(lines, "\n") .. "\n" .. TAIL
end
