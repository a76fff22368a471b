# SPDX-License-Identifier: GPL-2.0
# klp-sets: see README.md.

KERNELRELEASE ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KERNELRELEASE)/build
# The release that KDIR builds for: Debian's differs from "make kernelrelease".
RELEASE = $(shell sed -n 's/.*"\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h)
KLP_SETS_VERSION := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
PREFIX ?= /usr
datadir := $(DESTDIR)$(PREFIX)/share/klp-sets

.PHONY: all clean install install-dev

all:
	$(MAKE) -C $(KDIR) M=$(CURDIR)/src KLP_SETS_VERSION=$(KLP_SETS_VERSION) modules

clean:
	$(MAKE) -C $(KDIR) M=$(CURDIR)/src clean

# The module, and its symbols, which livepatches are built against.
install: install-dev
	$(MAKE) -C $(KDIR) M=$(CURDIR)/src CONFIG_MODULE_SIG_ALL= INSTALL_MOD_DIR=updates \
		INSTALL_MOD_PATH=$(DESTDIR) modules_install
	$(if $(DESTDIR),,depmod -a $(RELEASE))
	install -m 644 src/Module.symvers $(DESTDIR)/lib/modules/$(RELEASE)/updates/klp-sets.symvers

# What else livepatches are built with, the same for every kernel.
install-dev:
	install -D -m 644 -t $(datadir) klp-sets.mk
	install -D -m 644 -t $(datadir)/include include/klp_sets.h

# Packages, from a clean copy of the tree. The command has its own tool/Makefile.

name := klp-sets-$(KLP_SETS_VERSION)
# What git knows, or would take; without git, the tree is such a copy.
files = git ls-files --cached --others --exclude-standard 2> /dev/null || \
	find . -type f -not -path './build/*'

.PHONY: dist deb rpm

dist:
	mkdir -p build
	($(files)) | tar -cJf build/$(name).tar.xz --transform 's,^\(\./\)\?,$(name)/,' -T -

deb: dist
	rm -rf build/deb
	mkdir build/deb
	cp build/$(name).tar.xz build/deb/klp-sets_$(KLP_SETS_VERSION).orig.tar.xz
	tar -C build/deb -xf build/$(name).tar.xz
	cp -r packaging/debian build/deb/$(name)/
	cd build/deb/$(name) && dpkg-buildpackage -us -uc $(DEB_OPTIONS)
	ls build/deb/*.deb

rpm: dist
	rm -rf build/rpm
	rpmbuild -ba --define "_topdir $(CURDIR)/build/rpm" --define "_sourcedir $(CURDIR)/build" \
		$(RPM_OPTIONS) packaging/rpm/klp-sets.spec
	ls build/rpm/RPMS/*/*.rpm

# Virtual machines: demonstration and tests. See tests/vm/README.md.

.PHONY: help check check-debug check-random check-packages check-fleet check-compilers lint fuzz bench demo model

help:
	@echo "make                       the module, for the running kernel or KDIR="
	@echo "make install               the module, and what client modules are built with"
	@echo "make install-dev           only the latter, beside a module that DKMS has installed"
	@echo "make demo                  replace sets in a virtual machine, on this terminal"
	@echo "make check                 all tests, in virtual machines of all kernels"
	@echo "make check KERNELS=\"6.1\"   only these of: 5.10 6.1 6.12 newest"
	@echo "make check KERNELS=host    all tests on the running kernel's files, in a virtual machine"
	@echo "make check KERNELS=/path/to/vmlinuz   on another's, with KDIR= (headers) MODDIR= (modules)"
	@echo "make check-debug           a choice of them, and memory that fails, on a debug kernel"
	@echo "make check TESTS=\"name\"    only these files of tests/functional"
	@echo "make model                 every order of events, in a small model: tests/model/README.md"
	@echo "make check-random STEPS=1000 SEED=7   random operations, see tests/random/README.md"
	@echo "make bench                 what it costs, see Documentation/performance.md"
	@echo "make check-compilers       src/ with gcc 11 to 15 and clang, warnings are errors"
	@echo "make lint                  clang-tidy, cppcheck, shellcheck and checkpatch.pl"
	@echo "make fuzz MINUTES=60       module files that AFL++ thinks up: tests/fuzz/README.md"
	@echo "make deb, make rpm         packages, in build/"
	@echo "make check-fleet           what Prometheus and Ansible make of it: Documentation/fleet.md"
	@echo "make check-packages        builds, installs and uses them, in virtual machines"

# KDIR=, MODDIR= and KSRC= are for KERNELS=host or a path, and come as they were given.
check:
	@KERNELS="$(KERNELS)" TESTS="$(TESTS)" V="$(V)" tests/vm/check

# A step takes a fraction of a second, the search for a short script much longer.
check-random: export KLP_TEST_STEPS = $(STEPS)
check-random: export KLP_TEST_SEED = $(SEED)
check-random: export KLP_SETS_FILE_LIMIT = $(shell expr 1200 + 5 \* 0$(STEPS))
check-random:
	@KERNELS="$(KERNELS)" TESTS=random V=1 tests/vm/check

check-compilers:
	@KERNELS="$(KERNELS)" COMPILERS="$(COMPILERS)" V="$(V)" tests/compilers/check

lint:
	@tests/lint/check

fuzz:
	@MINUTES="$(MINUTES)" tests/fuzz/check

check-packages:
	@SUITES="$(SUITES)" V="$(V)" tests/packages/check

check-fleet:
	@KERNELS="$(KERNELS)" tests/fleet/check

check-debug:
	@KERNELS=debug TESTS="$(TESTS)" V="$(V)" tests/vm/check

bench:
	@KERNELS="$(KERNELS)" ROWS="$(ROWS)" JSON="$(JSON)" tests/bench/bench

demo:
	@tests/vm/demo

# No virtual machine. MODEL="VERSIONS" tries one scenario. See tests/model/README.md.
model:
	@tests/model/check $(MODEL)
