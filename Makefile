# SPDX-License-Identifier: GPL-3.0-or-later
# vlab: one non-recursive Makefile. `make help` lists the targets, `make V=1` shows the commands.
BUILD ?= release
ifeq ($(origin CC),default)
CC := gcc
endif
# Another compiler builds beside, not over.
OUT   := build/$(BUILD)$(if $(filter clang%,$(notdir $(CC))),-clang)
V     ?= 0
Q     := $(if $(filter 1,$(V)),,@)
SAY    = $(if $(filter 1,$(V)),@:,@printf '  %-5s %s\n')

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wdouble-promotion
ifdef WERROR
WARN += -Werror
endif
OPT_release  := -O3 -g
OPT_debug    := -O0 -g3
OPT_asan     := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OPT_tsan     := -O1 -g -fsanitize=thread -fno-omit-frame-pointer
OPT_coverage := -O0 -g --coverage
# What gcc finds by following values, it finds wrongly in code that a sanitizer has rewritten.
ifneq ($(filter gcc%,$(notdir $(CC))),)
OPT_asan += -Wno-format-truncation -Wno-maybe-uninitialized
# Fences, of which it knows nothing, stand between us and a guest, whose side it does not see anyway.
OPT_tsan += -Wno-format-truncation -Wno-maybe-uninitialized -Wno-tsan
endif
ifeq ($(OPT_$(BUILD)),)
$(error BUILD=$(BUILD): there are release, debug, asan, tsan and coverage)
endif

PKGS := yaml-0.1 gsl jansson
ifneq ($(filter-out help setup demo check check-long clean,$(or $(MAKECMDGOALS),all)),)
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS   := $(shell pkg-config --libs $(PKGS) 2>/dev/null)
CHECK_LIBS := $(shell pkg-config --libs check 2>/dev/null)
SWITCH_CFLAGS := $(shell pkg-config --cflags slirp libnftables 2>/dev/null)
SWITCH_LIBS   := $(shell pkg-config --libs slirp libnftables 2>/dev/null)
endif

CFLAGS   ?=
ALL_CF   := -std=c17 -D_GNU_SOURCE -Isim -I. $(WARN) $(OPT_$(BUILD)) -ffp-contract=off -pthread $(PKG_CFLAGS) $(CFLAGS)
ALL_LIBS := $(PKG_LIBS) -lm -pthread

LIB_DIRS := base scenario policy program engine model metrics out top
LIB_SRC  := $(wildcard $(LIB_DIRS:%=sim/%/*.c))
CLI_SRC  := $(wildcard sim/cli/*.c kvm/runner/*.c)
VMM_SRC  := $(wildcard kvm/vmm/*.c)
STORE_SRC := $(wildcard kvm/store/*.c)
BOX_SRC  := $(wildcard kvm/sandbox/*.c)
SWITCH_SRC := $(wildcard kvm/switch/*.c)
LIB_OBJ  := $(LIB_SRC:%.c=$(OUT)/%.o)
CLI_OBJ  := $(CLI_SRC:%.c=$(OUT)/%.o)
VMM_OBJ  := $(VMM_SRC:%.c=$(OUT)/%.o)
STORE_OBJ := $(STORE_SRC:%.c=$(OUT)/%.o)
STORE_LIBS := -luring
BOX_OBJ  := $(BOX_SRC:%.c=$(OUT)/%.o)
BOX_LIBS := -lseccomp
SWITCH_OBJ  := $(SWITCH_SRC:%.c=$(OUT)/%.o)
SWITCH_CORE := frame macs core core_stage
LIB      := $(OUT)/libvlab.a

# The guest's payload: freestanding, ring 3, the workload interpreter and the draws compiled from the
# simulator's own sources. Built the same whatever BUILD says.
GUEST_SRC := $(wildcard kvm/guest/*.c kvm/guest/*.S) sim/base/rng.c sim/base/draw.c sim/base/draw_math.c \
             sim/base/draw_table.c sim/program/prog.c sim/program/prog_disk.c \
             sim/program/prog_touch.c
GUEST_OBJ := $(patsubst %,$(OUT)/guest/%.o,$(GUEST_SRC))
GUEST_CF  := -std=c17 -Isim -I. $(WARN) -O2 -ffreestanding -fno-stack-protector -fno-pic -mno-red-zone \
             -mcmodel=small -msse2 -mno-sse3 -mno-avx -ffp-contract=off -fno-asynchronous-unwind-tables \
             -fcf-protection=none -DVLAB_GUEST

all: $(OUT)/vlab $(OUT)/vlab-vmm $(OUT)/vlab-proc $(OUT)/vlab-store $(OUT)/vlab-switch vlab ## Build everything (BUILD=release|debug|asan|tsan|coverage)

vlab: $(OUT)/vlab
	$(Q)ln -sfn $(OUT)/vlab vlab

$(OUT)/%.o: %.c Makefile
	$(SAY) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CF) -MMD -MP -c -o $@ $<

$(OUT)/sim/out/gp.o: $(wildcard plots/*.gp) # carried in the program

$(LIB): $(LIB_OBJ)
	$(SAY) AR $@
	$(Q)rm -f $@ && ar rcs $@ $^

$(OUT)/vlab: $(CLI_OBJ) $(LIB)
	$(SAY) LD $@
	$(Q)$(CC) $(ALL_CF) -o $@ $(CLI_OBJ) $(LIB) $(ALL_LIBS)

$(OUT)/vlab-vmm: $(VMM_OBJ) $(BOX_OBJ) $(LIB) $(OUT)/payload.o
	$(SAY) LD $@
	$(Q)$(CC) $(ALL_CF) -o $@ $(VMM_OBJ) $(BOX_OBJ) $(OUT)/payload.o $(LIB) $(ALL_LIBS) $(BOX_LIBS)

$(SWITCH_OBJ): ALL_CF += $(SWITCH_CFLAGS)
$(OUT)/vlab-switch: $(SWITCH_OBJ) $(BOX_OBJ) $(LIB)
	$(SAY) LD $@
	$(Q)$(CC) $(ALL_CF) -o $@ $(SWITCH_OBJ) $(BOX_OBJ) $(LIB) $(SWITCH_LIBS) $(ALL_LIBS) $(BOX_LIBS)

$(OUT)/vlab-store: $(STORE_OBJ) $(BOX_OBJ) $(LIB)
	$(SAY) LD $@
	$(Q)$(CC) $(ALL_CF) -o $@ $(STORE_OBJ) $(BOX_OBJ) $(LIB) $(ALL_LIBS) $(BOX_LIBS) $(STORE_LIBS)

$(OUT)/guest/%.o: % Makefile
	$(SAY) GUEST $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(GUEST_CF) -MMD -MP -c -o $@ $<

$(OUT)/payload.elf: $(GUEST_OBJ) kvm/guest/payload.ld
	$(SAY) LD $@
	$(Q)$(CC) -nostdlib -static -Wl,--build-id=none -Wl,-z,noexecstack -T kvm/guest/payload.ld -o $@ $(GUEST_OBJ)

# Embedded as data: payload_elf .. payload_elf_end (kvm/vmm/payload.h).
$(OUT)/payload.o: $(OUT)/payload.elf
	$(Q)printf '.section .rodata\n.globl payload_elf, payload_elf_end\n.balign 16\npayload_elf:\n.incbin "%s"\npayload_elf_end:\n.section .note.GNU-stack,"",@progbits\n' $< > $(OUT)/payload.s
	$(Q)$(CC) -c -o $@ $(OUT)/payload.s

# The payload once more as a native process (kvm/proc): the same code for the same addresses, so the program
# itself stands where no guest has anything. Built without sanitizers, whose own memory lies there.
PROC_AT  := 0x20000000
PROC_SRC := $(wildcard kvm/proc/*.c) $(BOX_SRC) kvm/vmm/vmm.c kvm/vmm/gate.c kvm/vmm/gmem.c kvm/vmm/sandbox.c
PROC_OBJ := $(PROC_SRC:%.c=$(OUT)/proc/%.o)
PROC_KERNEL := $(filter-out $(OUT)/guest/kvm/guest/start.S.o $(OUT)/guest/kvm/guest/mem.c.o \
               $(OUT)/guest/kvm/guest/io.c.o,$(GUEST_OBJ)) $(OUT)/proc/io.o
$(OUT)/proc/%.o: %.c Makefile
	$(SAY) PROC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=c17 -D_GNU_SOURCE -Isim -I. $(WARN) -O2 -g -fno-pie -pthread -MMD -MP -c -o $@ $<
$(OUT)/proc/io.o: kvm/guest/io.c Makefile
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(GUEST_CF) -DVLAB_NATIVE -MMD -MP -c -o $@ $<
$(OUT)/vlab-proc: $(PROC_OBJ) $(PROC_KERNEL)
	$(SAY) LD $@
	$(Q)$(CC) -no-pie -pthread -Wl,-Ttext-segment=$(PROC_AT) -Wl,-z,noexecstack -o $@ $^ $(BOX_LIBS)

# Misbehaving guests, one a rule, for tests/kvm: each a payload of its own.
BAD_SRC := $(wildcard tests/kvm/guests/*.S)
BAD_ELF := $(BAD_SRC:tests/kvm/guests/%.S=$(OUT)/guests/%.elf)
$(OUT)/guests/%.elf: tests/kvm/guests/%.S $(wildcard tests/kvm/guests/*.inc) tests/kvm/guests/guest.ld
	$(SAY) GUEST $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -nostdlib -static -Wl,--build-id=none -Wl,-z,noexecstack -T tests/kvm/guests/guest.ld -o $@ $<
$(OUT)/test-kvm: $(BAD_ELF) $(OUT)/kvm/store/faults.o $(OUT)/kvm/store/engine_uring.o
$(OUT)/test-kvm: ALL_LIBS += $(STORE_LIBS)

# --- tests: each folder is one Check runner; a file test_NAME.c in it exports `Suite *NAME_suite(void)` ---
TEST_DIRS := unit theory properties kvm
define test_runner
$(1)_SRC := $$(wildcard tests/$(1)/test_*.c)
$(1)_OBJ := $$($(1)_SRC:%.c=$(OUT)/%.o)
$(OUT)/tests/$(1)_main.c: $$($(1)_SRC) tests/mkmain.sh
	$(Q)mkdir -p $$(@D)
	$(Q)sh tests/mkmain.sh $$($(1)_SRC) > $$@
$(OUT)/tests/$(1)_main.o: $(OUT)/tests/$(1)_main.c
	$(Q)$(CC) $(ALL_CF) -c -o $$@ $$<
$(OUT)/test-$(1): $(OUT)/tests/$(1)_main.o $$($(1)_OBJ) $(OUT)/tests/lab.o $$(filter-out %/cli/main.o,$$(CLI_OBJ)) $(LIB)
	$(SAY) LD $$@
	$(Q)$(CC) $(ALL_CF) -o $$@ $$(filter %.o %.a,$$^) $(CHECK_LIBS) $$(ALL_LIBS)
test-$(1): $(OUT)/test-$(1) all ## Run one suite: unit, theory, properties, kvm
	$(Q)VLAB=$(OUT)/vlab $(if $(filter kvm,$(1)),,sh tests/shards.sh )$(OUT)/test-$(1)
endef
$(foreach d,$(TEST_DIRS),$(eval $(call test_runner,$(d))))
TEST_BINS := $(foreach d,$(TEST_DIRS),$(if $(wildcard tests/$(d)/test_*.c),$(OUT)/test-$(d)))

# The draws and the interpreter once more as the guest gets them, every name with guest_ before it: the
# unit tests hold the two against each other, bit for bit. The guest's code is not position-independent.
TWIN := $(OUT)/tests/guest_twin.o
$(TWIN): $(filter $(OUT)/guest/sim/%,$(GUEST_OBJ))
	$(SAY) TWIN $@
	$(Q)mkdir -p $(@D)
	$(Q)ld -r -o $@ $^ && objcopy --prefix-symbols=guest_ $@
$(OUT)/test-unit: $(TWIN) $(BOX_OBJ) $(SWITCH_CORE:%=$(OUT)/kvm/switch/%.o) $(OUT)/kvm/vmm/ring.o $(OUT)/kvm/vmm/nic.o \
                  $(OUT)/kvm/store/serve.o $(OUT)/kvm/store/faults.o
$(OUT)/test-unit: ALL_LIBS += -no-pie $(BOX_LIBS)

tests: all $(TEST_BINS) ## Build the test programs without running them

# --- benchmarks: each file a program; the bare loops they are held against stand beside them ---
BENCH_SRC := $(wildcard tests/bench/bench_*.c)
BENCH_BIN := $(BENCH_SRC:tests/bench/%.c=$(OUT)/%)
$(OUT)/bench_%: $(OUT)/tests/bench/bench_%.o $(LIB)
	$(SAY) LD $@
	$(Q)$(CC) $(ALL_CF) -o $@ $^ $(ALL_LIBS)
bench: all $(BENCH_BIN) ## Measure: ratios to bare loops (and instructions an event, where valgrind is)
	$(Q)sh tests/bench/run.sh $(OUT)

# --- fuzzing: clang's libFuzzer; the corpus of each target is kept in tests/fuzz/corpus ---
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ_BIN := $(FUZZ_SRC:tests/fuzz/%.c=build/fuzz/%)
FUZZ_SECONDS ?= 20
# The library once for all targets. Comparisons are watched where text is read; elsewhere that only takes time.
# A loop without time is given up sooner than elsewhere.
FUZZ_CF  := -std=c17 -D_GNU_SOURCE -Isim -I. -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
            -ffp-contract=off -DSIM_STALL_EVENTS=100000u $(PKG_CFLAGS)
FUZZ_OBJ := $(LIB_SRC:%.c=build/fuzz/%.o)
# Of the lab what reads what a guest, a VMM, a peer or a payload wrote.
FUZZ_KVM := $(patsubst %.c,build/fuzz/%.o,$(wildcard kvm/runner/*.c) kvm/vmm/payload.c kvm/vmm/paging.c kvm/vmm/gmem.c) \
            $(SWITCH_CORE:%=build/fuzz/kvm/switch/%.o) build/fuzz/kvm/vmm/ring.o
.SECONDARY: $(FUZZ_OBJ) $(FUZZ_KVM)
build/fuzz/libkvm.a: $(FUZZ_KVM)
	$(Q)rm -f $@ && ar rcs $@ $^
build/fuzz/sim/out/gp.o: $(wildcard plots/*.gp)
build/fuzz/sim/%.o: sim/%.c Makefile
	$(Q)mkdir -p $(@D)
	$(Q)clang $(FUZZ_CF) -fsanitize=fuzzer-no-link \
	    $(if $(filter sim/base/% sim/scenario/%,$<),,-fno-sanitize-coverage=trace-cmp) -MMD -MP -c -o $@ $<
build/fuzz/kvm/%.o: kvm/%.c Makefile
	$(Q)mkdir -p $(@D)
	$(Q)clang $(FUZZ_CF) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<
build/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(FUZZ_OBJ) build/fuzz/libkvm.a Makefile
	$(SAY) FUZZ $@
	$(Q)clang $(FUZZ_CF) -fsanitize=fuzzer -MMD -MP -MF $@.d -o $@ $< build/fuzz/libkvm.a $(FUZZ_OBJ) $(ALL_LIBS)
fuzz: $(FUZZ_BIN) ## Fuzz every target for FUZZ_SECONDS (20) each; FUZZ_SEED for the same inputs each time
	$(Q)sh tests/fuzz/run.sh $(FUZZ_SECONDS) $(FUZZ_SEED)

# --- the two commands of the README, and their like ---
setup: ## Install what is missing from Debian's packages
	$(Q)sh tests/setup.sh all

demo: ## Install what is missing, build, run the main job, leave results and plots in runs/
	$(Q)sh tests/setup.sh
	$(Q)$(MAKE) --no-print-directory all
	$(Q)sh scenarios/demo.sh

check: ## Install what is missing, build, run the whole test suite
	$(Q)sh tests/setup.sh all
	$(Q)sh tests/check.sh

check-long: ## The same with everything that takes longer: ten minutes of fuzzing, 11 pairs on KVM
	$(Q)sh tests/setup.sh all
	$(Q)LONG=1 sh tests/check.sh

# --- manners ---
C_FILES = $(shell git ls-files '*.c' '*.h')
format: ## Rewrite the sources in the house's format
	$(Q)clang-format -i $(C_FILES)

lint: ## clang-format, cppcheck and clang-tidy, without a finding
	$(Q)sh tests/lint.sh

clean: ## Remove what was built
	rm -rf build vlab

help: ## This list
	@awk -F':.*## ' '/^[a-z-]+(\$$\(1\))?:.*## /{sub(/\$$\(1\)/, "NAME", $$1); printf "  make %-12s %s\n", $$1, $$2}' Makefile

.PHONY: all tests bench fuzz setup demo check check-long format lint clean help $(TEST_DIRS:%=test-%)

-include $(shell find $(OUT) build/fuzz -name '*.d' 2>/dev/null)
