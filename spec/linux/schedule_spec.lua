local schedule = require "container.linux.schedule"

describe("schedule.numbers", function()
  it("reads a list as the kernel writes them", function()
    assert.same({ 0, 1, 2, 7 }, schedule.numbers("0-2,7", 10))
    assert.same({ 3 }, schedule.numbers("3", 3))
  end)

  it("takes nothing else", function()
    for _, text in ipairs { "", "a", "3-1", "1,,2", "4", "-1", "1-", "99999999999999999999" } do
      assert.is_nil(schedule.numbers(text, 3), text)
    end
  end)
end)
