-- Step 1: say what would run. A container begins as a program that is given a command.

local function run(argv)
  print("Running [" .. table.concat(argv, " ") .. "]")
  return 0
end

if arg[1] ~= "run" or not arg[2] then
  io.stderr:write("usage: lua5.4 ", arg[0], " run COMMAND [ARG...]\n")
  os.exit(2)
end
os.exit(run(table.move(arg, 2, #arg, 1, {})))
