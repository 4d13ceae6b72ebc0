-- A task of judge.lua: the sum of all the numbers that come in.

local many = {}
for i = 1, 10000 do
  many[i] = i
end

return {
  time = 1, -- seconds of the processor
  memory = 64 << 20, -- bytes
  output = 64 << 10,
  { input = "1 2\n", answer = "3" },
  { input = "", answer = "0" },
  { input = table.concat(many, "\n"), answer = "50005000" },
}
