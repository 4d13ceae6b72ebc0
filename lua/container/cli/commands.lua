-- The first words of the command line that are commands of their own: each is a function of the
-- words behind it that returns the exit status. A program of such a name runs behind "--", or by
-- its path.

local network = require "container.cli.network"

return {
  network = network.main,
}
