-- completion/: for bash, zsh and fish.

local help = require "container.cli.help"
local sys = require "container.sys"

local completion = {}

local NOTE <const> = "# Made by docs/generate.lua from lua/container/config/options/.\n"

--- Every word of the command line once, in order: its spelling, and what it is about.
local function words()
  local list, by_word = {}, {}
  help.groups(function(_, group)
    for _, one in ipairs(group) do
      local spelling = one.spelling
      if not by_word[spelling[1]] then
        by_word[spelling[1]] = true
        list[#list + 1] = { word = spelling[1], short = spelling.short, value = spelling.value,
          choices = spelling.choices, complete = spelling.complete, values = spelling.values,
          again = spelling.list or spelling.as == "limit" or spelling.as == "paths"
            or spelling.as == "rate" or spelling.as == "assignment" or spelling.as == "security",
          help = spelling.help or one.entry.help }
      end
    end
  end)
  return list
end

--- The words that a value may be; nil where they are not known beforehand.
local function choices(one)
  if one.choices then
    return table.concat(one.choices, " ")
  elseif one.complete == "capability" then
    local names = sys.capability_names()
    for i, name in ipairs(names) do
      names[i] = name:gsub("^CAP_", "")
    end
    return "ALL " .. table.concat(names, " ")
  elseif one.complete == "rlimit" then
    return table.concat(sys.rlimit_names(), "= ") .. "="
  end
  return nil
end

-- Replaces each @NAME@ in a text.
local function fill(text, values)
  return (text:gsub("@(%u+)@", values))
end

local BASH <const> = [=[
# Completion of lua-container for bash.
@NOTE@
# Sets `words` to the words up to the cursor as the shell sees them, and `at` to where each of them
# begins in COMP_WORDS: bash separates them at = and : too.
_lua_container_words() {
  local line=$COMP_LINE token i
  words=() at=()
  for ((i = 0; i <= COMP_CWORD; i++)); do
    token=${COMP_WORDS[i]}
    if [[ $i -eq 0 || -z $line || $line == [[:blank:]]* ]]; then
      words+=("") at+=("$i")
      line=${line#"${line%%[![:blank:]]*}"}
    fi
    words[${#words[@]}-1]+=$token
    line=${line#"$token"}
  done
}

# What the value of option $1 may be, of which $2 is the beginning.
_lua_container_values() {
  case $1 in
@CASES@  esac
}

# Sets `i` to the index of the command in `words`, and `option` to the option whose value is the
# last word.
_lua_container_scan() {
  i=1 option=''
  while ((i < n)); do
    case ${words[i]} in
    --) i=$((i + 1)); return ;;
    @VALUED@)
      if ((i + 1 == n)); then
        option=${words[i]}
        return
      fi
      i=$((i + 2)) ;;
    -?*) i=$((i + 1)) ;;
    *) return ;;
    esac
  done
}

_lua_container() {
  local words at n i option cur head='' value
  _lua_container_words
  n=$((${#words[@]} - 1))
  cur=${words[n]} value=${words[n]}
  _lua_container_scan
  COMPREPLY=()
  if [[ -n $option ]]; then
    :
  elif ((i < n)); then
    # An argument of the command: its own completion, where there is one.
    if declare -F _command_offset >/dev/null; then
      _command_offset "${at[i]}"
    else
      compopt -o default
    fi
    return
  elif [[ ${words[n-1]} == -- || $cur != -* ]]; then
    mapfile -t COMPREPLY < <(compgen -c -- "$cur")
    return
  elif [[ $cur == --*=* ]]; then
    option=${cur%%=*} head=${cur%%=*}= value=${cur#*=}
  else
    mapfile -t COMPREPLY < <(compgen -W "@ALL@" -- "$cur")
    return
  fi
  mapfile -t COMPREPLY < <(_lua_container_values "$option" "$value")
  [[ ${COMPREPLY[0]} != *[=/] ]] || compopt -o nospace
  # Bash replaces only what follows the last = or :.
  local last=${COMP_WORDS[COMP_CWORD]} before
  [[ $last != [=:] ]] || last=''
  before=${cur%"$last"}
  COMPREPLY=("${COMPREPLY[@]/#/$head}")
  COMPREPLY=("${COMPREPLY[@]#"$before"}")
}

complete -F _lua_container lua-container
]=]

local BASH_SOURCES <const> = {
  file = 'compgen -f -- "$2"', directory = 'compgen -d -S / -- "$2"',
  user = 'compgen -u -- "$2"', device = 'compgen -f -- "${2:-/dev/}"',
  variable = 'compgen -e -- "$2"',
}

function completion.bash()
  local cases, valued, all = {}, {}, {}
  for _, one in ipairs(words()) do
    all[#all + 1] = one.word .. (one.values and " " .. one.word .. "=" .. one.values[1] or "")
    if one.value then
      local pattern = one.word .. (one.short and "|-" .. one.short or "")
      valued[#valued + 1] = pattern
      local list = choices(one)
      local source = list and ("compgen -W %q -- \"$2\""):format(list)
        or BASH_SOURCES[one.word == "--env" and "variable" or one.complete]
      if source then
        cases[#cases + 1] = ("  %s) %s ;;\n"):format(pattern, source)
      end
    elseif one.values then
      cases[#cases + 1] = ("  %s) compgen -W %q -- \"$2\" ;;\n"):format(one.word,
        table.concat(one.values, " "))
    end
  end
  return fill(BASH, { NOTE = NOTE, CASES = table.concat(cases), VALUED = table.concat(valued, "|"),
    ALL = table.concat(all, " ") })
end

local ZSH_SOURCES <const> = {
  file = "_files", directory = "_files -/", user = "_users", device = "_files -W /dev",
}

local function zsh_quoted(text)
  return (text:gsub("[%[%]:\\]", "\\%0"):gsub("'", "'\\''"))
end

function completion.zsh()
  local lines = { "#compdef lua-container\n" .. NOTE, "_arguments -s -S -A '-*' \\" }
  for _, one in ipairs(words()) do
    local list = choices(one)
    local value = one.value and (":%s:%s"):format(zsh_quoted(one.value),
      list and "(" .. list .. ")" or one.word == "--env" and "_parameters -g \"*export*\" -qS="
      or ZSH_SOURCES[one.complete] or " ")
      or one.values and "::format:(" .. one.values[1] .. ")" or ""
    local long = one.word .. (one.value and "=" or one.values and "=-" or "")
    local text = ("[%s]"):format(zsh_quoted(one.help)) .. value
    local again = one.again and "*" or ""
    if one.short then
      lines[#lines + 1] = ("  %s{-%s%s,%s}'%s' \\"):format(
        again ~= "" and "'*'" or ("'(-%s %s)'"):format(one.short, one.word),
        one.short, one.value and "+" or "", long, text)
    else
      lines[#lines + 1] = ("  '%s%s%s' \\"):format(again, long, text)
    end
  end
  lines[#lines + 1] = "  '(-):command:_command_names -e' \\\n  '*::argument:_normal'"
  return table.concat(lines, "\n") .. "\n"
end

local FISH <const> = [[
# Completion of lua-container for fish.
@NOTE@
# Prints the command and its arguments; fails where there is none yet.
function __lua_container_command
    set -l tokens (commandline -opc) (commandline -ct)
    set -e tokens[1]
    argparse -s @KNOWN@ -- $tokens 2>/dev/null
    or return 1
    test -n "$argv[1]"
    and not string match -qr '^-' -- $argv[1]
    and string join0 -- $argv
end

function __lua_container_no_command
    not __lua_container_command >/dev/null
end

function __lua_container_subcommand
    set -l args (__lua_container_command | string split0)
    __fish_complete_subcommand --commandline $args
end

complete -c lua-container -x -n 'not __lua_container_no_command' -a '(__lua_container_subcommand)'
complete -c lua-container -x -n __lua_container_no_command -a '(__fish_complete_command)'
]]

local FISH_SOURCES <const> = {
  directory = "(__fish_complete_directories)", user = "(__fish_complete_users)",
  variable = "(set -nx)",
}

local function fish_quoted(text)
  return (text:gsub("[\\']", "\\%0"))
end

function completion.fish()
  local lines, known = {}, {}
  for _, one in ipairs(words()) do
    local name = one.word:sub(3)
    known[#known + 1] = ("%s%s%s"):format(one.short and one.short .. "/" or "", name,
      one.value and "=+" or one.values and "'=?'" or "")
    local list = choices(one) or one.values and table.concat(one.values, " ")
      or FISH_SOURCES[name == "env" and "variable" or one.complete]
    local takes = one.value and (list and " -x" or one.complete and " -r -F" or " -x") or ""
    lines[#lines + 1] = ("%s -l %s%s%s%s -d '%s'"):format(
      "complete -c lua-container -n __lua_container_no_command", name,
      one.short and " -s " .. one.short or "", takes, list and (" -a '%s'"):format(list) or "",
      fish_quoted(one.help))
  end
  return fill(FISH, { NOTE = NOTE, KNOWN = table.concat(known, " ") })
    .. table.concat(lines, "\n") .. "\n"
end

return completion
