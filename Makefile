# Builds, checks and installs. Everything that this needs and is missing is installed by the
# two commands of the README, `sudo make run` and `sudo make test`, through the target
# `needs`; nothing else installs anything.

export LUA = lua5.4
LUA_VER    = 5.4
LUA_INC   ?= $(shell pkg-config --cflags lua$(LUA_VER) 2>/dev/null || echo -I/usr/include/lua$(LUA_VER))

CC        ?= cc
CFLAGS    ?= -O2 -g
WARNINGS   = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wvla
SANITIZE  ?=
override CFLAGS += -std=gnu11 -fPIC -Icsrc $(WARNINGS)

# Where a build goes; the checks make their own beside the one that is used.
BUILD      = build
MODULE     = container.so

PREFIX    ?= /usr/local
DESTDIR   ?=
BINDIR     = $(DESTDIR)$(PREFIX)/bin
LUADIR     = $(DESTDIR)$(PREFIX)/share/lua/$(LUA_VER)
LIBDIR     = $(DESTDIR)$(PREFIX)/lib/lua/$(LUA_VER)
SHAREDIR   = $(DESTDIR)$(PREFIX)/share
# Where bash (by this name), zsh and fish look for the completion of a command.
COMPLETIONS = bash-completion/completions/lua-container.bash zsh/site-functions/_lua-container \
	fish/vendor_completions.d/lua-container.fish

# csrc/libseccomp/, which compiles the profiles of seccomp, is a module of its own, and lies where
# Lua looks for what belongs to container.so.
SECCOMP    = $(MODULE:.so=)/libseccomp.so
sources    = $(sort $(wildcard csrc/$(1)*.c))
objects    = $(patsubst csrc/%.c,$(BUILD)/%.o,$(call sources,$(1)))
OBJECTS    = $(call objects)
COMPILER   = $(call objects,libseccomp/)

# The Lua modules are compiled as the C files are, with their line numbers: build/lua/container/...
LUAC       = luac$(LUA_VER)
MODULES    = $(sort $(shell find lua -name '*.lua'))
BYTECODE   = $(MODULES:%=build/%)

# The command as one file takes these libraries; where one of them is missing, there is none, and
# run.lua is what is installed as the command. With lua-cjson it reads profiles in JSON, too.
archive    = $(wildcard $(shell $(CC) -print-file-name=lib$(1).a))
ARCHIVES  := $(call archive,lua$(LUA_VER)) $(call archive,seccomp) $(call archive,c)
CJSON     := $(call archive,lua$(LUA_VER)-cjson)
COMMAND    = $(if $(word 3,$(ARCHIVES)),$(if $(SANITIZE),,lua-container))
OBJCOPY   ?= objcopy

all: module $(BYTECODE) container/seccomp.bpf $(COMMAND)

module: $(MODULE) $(SECCOMP)

$(MODULE): $(OBJECTS)
	$(CC) -shared $(SANITIZE) $(LDFLAGS) -o $@ $^

$(SECCOMP): $(COMPILER)
	@mkdir -p $(@D)
	$(CC) -shared $(SANITIZE) $(LDFLAGS) -o $@ $^ -lseccomp

# The default profile of seccomp, compiled, so that a start needs no libseccomp.
container/seccomp.bpf: $(SECCOMP) $(MODULE) \
    $(wildcard lua/container/linux/seccomp.lua lua/container/linux/seccomp/*.lua) \
    lua/container/linux/capabilities.lua
	LUA_PATH_5_4='./lua/?.lua' LUA_CPATH_5_4='./?.so' $(LUA) -e \
	  'assert(require("container.linux.seccomp").build("$@"))'

$(BUILD)/%.o: csrc/%.c csrc/container.h csrc/compat.h csrc/raw.h csrc/relay.h csrc/init_exec.h csrc/init_replace.h csrc/libseccomp/profile.h Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(SANITIZE) $(LUA_INC) -c -o $@ $<

build/lua/%.lua: lua/%.lua
	@mkdir -p $(@D)
	$(LUAC) -o $@ $<

# Lua, the C and the Lua modules in one file, see csrc/command/command.c: at first without the latter.
UNLINKED   = dlopen dlsym dlclose dlerror dladdr
$(BUILD)/lua-container: $(BUILD)/command/command.o $(COMPILER) $(OBJECTS) $(ARCHIVES) $(CJSON)
	$(CC) $(LDFLAGS) -static -no-pie $(UNLINKED:%=-Wl,--wrap=%) -o $@ \
	  $(filter %.o,$^) $(CJSON:%=-Wl,--undefined=luaopen_cjson %) $(ARCHIVES) -lm

lua-container: $(BUILD)/lua-container csrc/command/freeze.lua $(BYTECODE) container/seccomp.bpf
	$< csrc/command/freeze.lua $(BUILD)/heap
	$(OBJCOPY) --strip-all --update-section .lua_heap=$(BUILD)/heap $< $@

# What a bare Debian or Ubuntu with git and make lacks. Asked of the machine first, so that a
# second run costs nothing and works without a network.
needs:
	@sh .ci/needs build

needs-test:
	@sh .ci/needs build test

# The main job: a shell in a container, or a short demonstration where there is no terminal. How
# the shell ended is the user's business, as long as there was one.
run: needs
	@$(MAKE) -s all
	@if [ -t 0 ] && [ -t 1 ]; then $(LUA) run.lua /bin/bash || [ $$? -lt 125 ]; \
	else sh examples/demo.sh; fi

# In the end also in virtual machines, those specs that are about cgroups, where there is qemu.
test: needs-test
	@$(MAKE) -s all
	@sh .ci/test
	@sh .ci/vm-test here

# The clients of the OCI runtime: podman, docker, containerd, buildah. They are installed, and never
# started outside namespaces of their own.
test-oci: all
	@sh .ci/needs clients
	@sh .ci/test spec/oci/clients_spec.lua

# The fast tier: luacheck, the language of the tree and the specs that are pure Lua. No root.
check:
	@sh .ci/check

# The reference of the options, the editor types, the completions and the man page, from the
# declaration of the options.
generate: module
	@$(LUA) docs/generate.lua

lint:
	@sh .ci/lint

# The reference of the public functions, as HTML in build/docs.
docs:
	@sh .ci/needs docs
	@$(MAKE) -s module
	@rm -rf build/reference build/docs && mkdir -p build/reference
	@LUA_CPATH_5_4='./?.so' LUA_PATH_5_4='./lua/?.lua' $(LUA) .ci/reference.lua build/reference
	@ldoc --fatalwarnings --config config.ld .

# In a mount namespace of its own: podman mounts something beside the containers that it runs.
bench: all
	@$(MAKE) -s -C bench
	@unshare --mount $(LUA) bench/bench.lua $(if $(QUICK),--quick)

# A small real Debian tree to use as --rootfs, from where this machine has its own packages; or from
# mmdebstrap's mirror, where those are no Debian's. In its place only when it is whole.
rootfs: rootfs/bin/bash
rootfs/bin/bash:
	@sh .ci/needs rootfs
	@mkdir -p build
	rm -rf --one-file-system build/rootfs
	apt-get indextargets --format 'deb $$(REPO_URI) $$(RELEASE) $$(COMPONENT)' \
	  'Created-By: Packages' 'Origin: Debian' | sort -u >build/sources.list
	if [ -s build/sources.list ]; then suite= from=-; else suite=stable from=; fi; \
	mmdebstrap --variant=essential --include=bash,procps \
	  --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
	  "$$suite" build/rootfs $$from <build/sources.list
	mv -T build/rootfs rootfs

# The C module under the address and undefined-behaviour sanitizers, and its specs on it.
sanitize:
	@sh .ci/sanitize

# All that reads bytes in C, with inputs that a fuzzer makes, for FUZZ_SECONDS in all.
fuzz:
	@sh .ci/fuzz

# The specs in virtual machines, with cgroup v2 alone and with v1, as root and as an ordinary user; it
# takes most of an hour, and a few minutes with QUICK=1, which is about cgroups alone.
test-vm: all
	@sh .ci/needs vm
	@sh .ci/vm-test $(if $(QUICK),quick,whole)

# The specs of the C module under valgrind.
valgrind: all
	@sh .ci/valgrind

install: all
	install -d $(BINDIR) $(LIBDIR) $(LUADIR)
	install -m 644 container.so $(LIBDIR)/container.so
	install -D -m 644 container/libseccomp.so $(LIBDIR)/container/libseccomp.so
	for module in $(MODULES:lua/%=%); do \
	  install -D -m 644 build/lua/$$module $(LUADIR)/$$module || exit 1; done
	install -m 644 container/seccomp.bpf $(LIBDIR)/container
	install -m 755 $(or $(COMMAND),run.lua) $(BINDIR)/lua-container
	install -D -m 644 man/lua-container.1 $(SHAREDIR)/man/man1/lua-container.1
	for file in $(COMPLETIONS); do \
	  install -D -m 644 completion/$${file##*/} $(SHAREDIR)/$$file || exit 1; done

uninstall:
	rm -f $(LIBDIR)/container.so $(BINDIR)/lua-container
	rm -f $(SHAREDIR)/man/man1/lua-container.1 $(COMPLETIONS:%=$(SHAREDIR)/%)
	rm -rf $(LUADIR)/container $(LIBDIR)/container

clean:
	rm -rf --one-file-system build container container.so lua-container csrc/*.o
	@$(MAKE) -s -C bench clean

.PHONY: check docs generate test-vm test-oci fuzz all module needs needs-test run test lint bench rootfs sanitize valgrind \
	install uninstall clean
