-- The busted command under the Lua that runs this file: the machine's own `busted` runs under
-- whichever Lua its `lua` is, and switches through a shell that loses quotes and signals.
require "busted.runner" { standalone = false }
