# mneme: `make help` lists the targets.

VERSION := 0.1.0
SOVERSION := 0

CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
CFLAGS ?= -O3 -g
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
BINDIR ?= $(PREFIX)/bin
DATADIR ?= $(PREFIX)/share/mneme
OBJCOPY ?= objcopy
BUILD ?= build

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-7s %s\n'
endif

# What every object needs, whoever sets CFLAGS. -ffp-contract=off is rule 1 of docs/arithmetic.md.
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Werror
override ALL_CFLAGS := -std=c11 -D_GNU_SOURCE $(WARNINGS) $(CFLAGS) -ffp-contract=off \
	-fno-omit-frame-pointer -fopenmp -fvisibility=hidden -fPIC
override ALL_CPPFLAGS := -I. -Isrc -Iinclude -DMNEME_DATADIR='"$(DATADIR)"' $(CPPFLAGS)
LIBS := -lsleef -ljansson -lcrypto -lpcre2-8 -lm

# The instruction sets that this machine's kernels are compiled for.
MACHINE := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine)))
ifeq ($(MACHINE),x86_64)
ISAS := scalar avx2 avx512
else
ISAS := scalar
endif
FLAGS_scalar :=
FLAGS_avx2 := -mavx2 -mfma
FLAGS_avx512 := -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mprefer-vector-width=512

# Objects of different compilers or flags live apart.
HASH := $(shell printf '%s' "$(CC) $(ALL_CFLAGS) $(ALL_CPPFLAGS) $(LDFLAGS) $(ISAS)" | sha256sum | cut -c1-12)
OBJ := $(BUILD)/obj/$(HASH)

LIBRARY_SOURCES := $(sort $(wildcard simd/*.c) $(filter-out src/cli/%,$(wildcard src/*/*.c)))
KERNEL_SOURCES := $(sort $(wildcard simd/kernels/*.c))
CLI_SOURCES := $(sort $(wildcard src/cli/*.c))
SUITE_SOURCES := $(sort $(wildcard tests/*/test_*.c))
TEST_SOURCES := $(sort $(filter-out tests/kernel_check/%,$(wildcard tests/*/*.c)))
CHECK_SOURCES := $(sort $(wildcard tests/kernel_check/*.c))
SCRIPTS := $(sort $(wildcard tests/scripts/*.sh))

LIBRARY_OBJECTS := $(LIBRARY_SOURCES:%.c=$(OBJ)/%.o) \
	$(foreach isa,$(ISAS),$(KERNEL_SOURCES:simd/kernels/%.c=$(OBJ)/simd/$(isa)/%.o))
CLI_OBJECTS := $(CLI_SOURCES:%.c=$(OBJ)/%.o)
TEST_OBJECTS := $(TEST_SOURCES:%.c=$(OBJ)/%.o) $(OBJ)/tests/main.o
CHECK_OBJECTS := $(CHECK_SOURCES:%.c=$(OBJ)/%.o)

.PHONY: all
all: $(BUILD)/libmneme.a $(BUILD)/libmneme.so $(BUILD)/mneme ## build the library and the program (default)

$(OBJ)/%.o: %.c
	$(say) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

define kernel_rule
$(OBJ)/simd/$(1)/%.o: simd/kernels/%.c
	$$(say) CC "$$< ($(1))"
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) $$(ALL_CPPFLAGS) $$(ALL_CFLAGS) $$(FLAGS_$(1)) -DSIMD_ISA=$(1) -MMD -MP -c $$< -o $$@
endef
$(foreach isa,$(ISAS),$(eval $(call kernel_rule,$(isa))))

# One object whose internal names are local, so that only mneme_* can be linked against.
$(OBJ)/mneme.o: $(LIBRARY_OBJECTS)
	$(Q)$(LD) -r -o $@.all $^
	$(Q)$(OBJCOPY) --localize-hidden $@.all $@
	$(Q)rm -f $@.all

$(OBJ)/libmneme.a: $(OBJ)/mneme.o
	$(say) AR $@
	$(Q)rm -f $@
	$(Q)ar rcs $@ $<

$(OBJ)/libmneme.so: $(LIBRARY_OBJECTS)
	$(say) LD $@
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -shared -Wl,-soname,libmneme.so.$(SOVERSION) -Wl,--no-undefined \
		-o $@ $^ $(LIBS)

# The program sees the library as any user does: by its public names alone.
$(OBJ)/mneme: $(CLI_OBJECTS) $(OBJ)/libmneme.a
	$(say) LD $@
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(OBJ)/suites.inc: $(SUITE_SOURCES) Makefile
	$(Q)mkdir -p $(@D)
	$(Q)for name in $(sort $(patsubst test_%.c,%,$(notdir $(SUITE_SOURCES)))); do \
		echo "SUITE($$name)"; done > $@

$(OBJ)/tests/main.o: $(OBJ)/suites.inc
$(OBJ)/tests/%.o: ALL_CPPFLAGS += -Itests -I$(OBJ)

$(OBJ)/run_tests: $(TEST_OBJECTS) $(LIBRARY_OBJECTS)
	$(say) LD $@
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ -lcheck -lsubunit -lrt -lpthread $(LIBS)

$(OBJ)/kernel_check: $(CHECK_OBJECTS) $(LIBRARY_OBJECTS)
	$(say) LD $@
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# The last build's products under their plain names.
$(BUILD)/%: $(OBJ)/% FORCE
	$(Q)cmp -s $< $@ || cp -f $< $@

.PHONY: FORCE
FORCE:

TEST_PROGRAMS := $(if $(TEST_SOURCES),$(BUILD)/run_tests) $(if $(CHECK_SOURCES),$(BUILD)/kernel_check)

.PHONY: tests
tests: all $(TEST_PROGRAMS)

.PHONY: check
check: tests ## run all tests
	$(Q)CC="$(CC)" BUILD="$(BUILD)" tests/run.sh

.PHONY: demo
demo: ## install what is needed, build, and run the tiny recipe in runs/tiny
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory all
	$(BUILD)/mneme run data/recipes/tiny.json --dir runs/tiny

# Debian 12's packages: to build and test; and what `make lint` needs besides.
PACKAGES := gcc make pkg-config check libsleef-dev librandom123-dev libjansson-dev libssl-dev \
	libpcre2-dev gnuplot-nox g++ locales-all
LINT_PACKAGES := clang-14 clang-format-14 clang-tidy-14 cppcheck libomp-14-dev

.PHONY: deps
deps: ## install the Debian packages that building and testing need
	$(Q)sh tests/install_packages.sh $(PACKAGES)

.PHONY: deps-lint
deps-lint: ## install the Debian packages that `make lint` needs
	$(Q)sh tests/install_packages.sh $(LINT_PACKAGES)

.PHONY: lint
lint: ## check layout, static analysis, floors and forbidden arithmetic
	$(Q)CPPFLAGS='$(ALL_CPPFLAGS)' tests/lint.sh

.PHONY: format
format: ## lay the sources out as .clang-format says
	$(Q)git ls-files '*.c' '*.h' | xargs clang-format-14 -i

.PHONY: asan ubsan tsan
asan: ## build with the address sanitizer; `make asan TARGET=check` tests it
	$(Q)$(MAKE) BUILD=$(BUILD)/asan CFLAGS="-O1 -g -fsanitize=address" LDFLAGS="-fsanitize=address" $(or $(TARGET),tests)
ubsan: ## the same with the undefined-behaviour sanitizer
	$(Q)$(MAKE) BUILD=$(BUILD)/ubsan CFLAGS="-O1 -g -fsanitize=undefined -fno-sanitize-recover=all" LDFLAGS="-fsanitize=undefined" $(or $(TARGET),tests)
tsan: ## the same with the thread sanitizer
	$(Q)$(MAKE) BUILD=$(BUILD)/tsan CFLAGS="-O1 -g -fsanitize=thread" LDFLAGS="-fsanitize=thread" $(or $(TARGET),tests)

.PHONY: install uninstall
install: all ## install to PREFIX (/usr/local), below DESTDIR
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCLUDEDIR)/mneme \
		$(DESTDIR)$(DATADIR)/recipes $(DESTDIR)$(DATADIR)/worlds
	install -m 755 $(BUILD)/mneme $(DESTDIR)$(BINDIR)/mneme
	install -m 644 $(BUILD)/libmneme.a $(DESTDIR)$(LIBDIR)/libmneme.a
	install -m 755 $(BUILD)/libmneme.so $(DESTDIR)$(LIBDIR)/libmneme.so.$(VERSION)
	ln -sf libmneme.so.$(VERSION) $(DESTDIR)$(LIBDIR)/libmneme.so.$(SOVERSION)
	ln -sf libmneme.so.$(SOVERSION) $(DESTDIR)$(LIBDIR)/libmneme.so
	install -m 644 include/mneme/*.h $(DESTDIR)$(INCLUDEDIR)/mneme
	install -m 644 data/recipes/*.json $(DESTDIR)$(DATADIR)/recipes
	install -m 644 data/worlds/*.json $(DESTDIR)$(DATADIR)/worlds
	printf 'prefix=%s\nlibdir=%s\nincludedir=%s\n\nName: mneme\nDescription: %s\nVersion: %s\nLibs: -L$${libdir} -lmneme\nLibs.private: %s -fopenmp\nCflags: -I$${includedir}\n' \
		'$(PREFIX)' '$(LIBDIR)' '$(INCLUDEDIR)' 'CPU engine for memory-layer transformers' \
		'$(VERSION)' '$(LIBS)' > $(DESTDIR)$(LIBDIR)/pkgconfig/mneme.pc

uninstall: ## remove what install put there
	rm -rf $(DESTDIR)$(BINDIR)/mneme $(DESTDIR)$(LIBDIR)/libmneme.* \
		$(DESTDIR)$(LIBDIR)/pkgconfig/mneme.pc $(DESTDIR)$(INCLUDEDIR)/mneme $(DESTDIR)$(DATADIR)

.PHONY: clean
clean: ## remove everything that was built
	rm -rf $(BUILD)

.PHONY: help
help: ## this list
	@grep -hE '^[a-z][a-z -]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | \
		awk -F '\t' '{ printf "  %-12s %s\n", $$1, $$2 }'
	@echo 'Variables: CC, CFLAGS, CPPFLAGS, LDFLAGS, PREFIX, DESTDIR, LIBDIR, BUILD, V=1'

-include $(LIBRARY_OBJECTS:.o=.d) $(CLI_OBJECTS:.o=.d) $(TEST_OBJECTS:.o=.d) $(CHECK_OBJECTS:.o=.d)
