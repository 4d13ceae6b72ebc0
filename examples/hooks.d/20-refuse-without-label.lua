-- Refuses containers that do not say whose they are:
--   podman run --annotation example.team=red ...
return {
  createRuntime = function(state)
    if not (state.annotations or {})["example.team"] then
      error("a container takes the annotation example.team", 0)
    end
  end,
}
