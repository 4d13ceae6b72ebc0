-- --tty where standard input is no terminal: it is typed, and its end is one for the program.

local command = require "spec.fixtures.command"
local support = require "spec.support"

local TIMES <const> = 5

for name, program in pairs(command.ways) do
  -- What a script shows, RUN being the command on a terminal, and how it ends.
  local function shell(text)
    local result = support.run((text:gsub("RUN", program .. " -q -t")))
    return (result.stdout:gsub("\r", "")), result
  end

  describe("an input that is typed by " .. name .. " #root", function()
    it("ends a program that edits its lines", function()
      support.needs("python3")
      for _ = 1, TIMES do
        local text = shell("echo 'print(5)' | RUN /usr/bin/python3 -q; echo status=$?")
        assert.matches("\n5\n.*status=0\n$", text)
        text = shell("echo 'echo sum$((2 + 3))' | RUN bash --norc; echo status=$?")
        assert.matches("sum5\n.*status=0\n$", text)
      end
      local text = shell("printf 'import time\\ntime.sleep(0.3)\\nprint(5)\\n' | \z
        RUN /usr/bin/python3 -q; echo status=$?")
      assert.matches("\n5\n.*status=0\n$", text)
    end)

    it("ends one that reads lines", function()
      support.needs("python3")
      for _ = 1, TIMES do
        assert.equal("text\ntext\nstatus=0\n", (shell("echo text | RUN cat; echo status=$?")))
        assert.equal("text\ntext\nstatus=0\n", (shell("echo text | \z
          RUN /usr/bin/python3 -c 'print(input())'; echo status=$?")))
        assert.matches("sum5\n.*status=0\n$", (shell("echo 'echo sum$((2 + 3))' | RUN sh; \z
          echo status=$?")))
      end
    end)

    it("ends without the end of a line", function()
      assert.equal("texttext", (shell("printf text | RUN cat")))
    end)

    it("has an end for each that reads it, however late", function()
      assert.equal("text\ntext\nstatus=1\n", (shell("echo text | RUN sh -c 'cat; cat; sleep 0.3; \z
        read x; echo status=$?'")))
      assert.equal("status=1\n", (shell("RUN sh -c 'sleep 0.3; read x; echo status=$?' \z
        </dev/null")))
    end)

    it("can come late", function()
      assert.equal("text\ntext\n", (shell("(sleep 0.3; echo text) | RUN cat")))
    end)

    it("can be long, and nothing is lost", function()
      local sum = support.run("seq 100000 | cksum").stdout
      assert.equal(sum, (shell("seq 100000 | RUN sh -c 'stty -echo -opost; echo; \z
        echo start; cat' | sed '0,/^start$/d' | cksum")))
    end)

    it("has the key of its end twice where bytes are read, as the first can be lost", function()
      local text = shell("echo text | RUN sh -c 'stty raw -echo; head -c 7 | od -An -c'; \z
        echo status=$?")
      assert.matches("t *e *x *t *\\n *004 *004\n.*status=0\n$", text)
    end)

    it("ends by a hang-up where bytes are read and that key is one of them", function()
      local text = shell("echo text | RUN sh -c 'stty raw -echo; cat; sleep 1000'; echo status=$?")
      assert.matches("text\n.*status=129\n$", text)
    end)
  end)
end
