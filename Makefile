# SPDX-License-Identifier: GPL-2.0
# klp-sets: see README.md.

KERNELRELEASE ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KERNELRELEASE)/build
# The release that KDIR builds for: Debian's differs from "make kernelrelease".
RELEASE = $(or $(shell sed -n 's/.*"\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h \
	2> /dev/null),$(KERNELRELEASE))
# It stands there, for DKMS, and nowhere else.
KLP_SETS_VERSION := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
PREFIX ?= /usr
DATADIR ?= $(PREFIX)/share
datadir := $(DESTDIR)$(DATADIR)/klp-sets
modules = $(DESTDIR)/lib/modules/$(RELEASE)

.PHONY: all clean version install install-dev uninstall uninstall-dev

all:
	$(MAKE) -C $(KDIR) M=$(CURDIR)/src KLP_SETS_VERSION=$(KLP_SETS_VERSION) modules

# What a build leaves, as in .gitignore.
built := -path ./build -o -path ./tool/klp-sets -o -path ./tests/modules/readme_client.c \
	-o -path './tests/modules/client_r*.c' -o -name '*.o' -o -name '*.ko' -o -name '*.mod' \
	-o -name '*.mod.c' -o -name '.*.cmd' -o -name '*.o.d' -o -name .tmp_versions \
	-o -name Module.symvers -o -name modules.order -o -path './.checkpatch-camelcase.*'

# Without the kernel's headers, which may have gone.
clean:
	find . -name .git -prune -o \( $(built) \) -prune -exec rm -rf {} +

version:
	@echo $(KLP_SETS_VERSION)

# Another klp-sets.ko for the same kernel: modprobe would take one of the two, and livepatches may
# be built against the symbols of the other.
others = $(shell find $(modules)/ -name 'klp-sets.ko*' \
	-not -path '$(modules)/updates/klp-sets.ko*' 2> /dev/null)
define refuse_second
	@echo "klp-sets is there for $(RELEASE) already: $(others)" >&2
	@echo "Take that away first: README has the way out of each way in. Or say SECOND=1." >&2
	@exit 1
endef

# The module, and its symbols, which livepatches are built against.
install:
	$(if $(SECOND),,$(if $(others),$(refuse_second)))
	$(MAKE) install-dev
	$(MAKE) -C $(KDIR) M=$(CURDIR)/src CONFIG_MODULE_SIG_ALL= INSTALL_MOD_DIR=updates \
		INSTALL_MOD_PATH=$(DESTDIR) modules_install
	$(if $(DESTDIR),,depmod -a $(RELEASE))
	install -m 644 src/Module.symvers $(modules)/updates/klp-sets.symvers

# For this kernel. Whatever is loaded stays until the next boot.
uninstall: uninstall-dev
	rm -f $(modules)/updates/klp-sets.ko* $(modules)/updates/klp-sets.symvers
	-rmdir $(modules)/updates 2> /dev/null
	$(if $(DESTDIR),,depmod -a $(RELEASE))

# What else livepatches are built with, the same for every kernel.
install-dev:
	install -d $(datadir)
	sed 's,/usr/share/klp-sets,$(DATADIR)/klp-sets,' klp-sets.mk > $(datadir)/klp-sets.mk
	chmod 644 $(datadir)/klp-sets.mk
	install -D -m 644 -t $(datadir)/include include/klp_sets.h

uninstall-dev:
	rm -f $(datadir)/klp-sets.mk $(datadir)/include/klp_sets.h
	-rmdir $(datadir)/include $(datadir) 2> /dev/null

# Packages, from a clean copy of the tree. The command has its own tool/Makefile.

name := klp-sets-$(KLP_SETS_VERSION)
# The same tree makes the same archive, whoever packs it, when and where: its date is that of the
# package.
ifndef SOURCE_DATE_EPOCH
dist deb rpm: export SOURCE_DATE_EPOCH = $(shell date +%s -d \
	"$$(sed -n 's/^ -- .*>  //p; T; q' packaging/debian/changelog)")
endif
archive := tar --format=gnu --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX

.PHONY: dist deb rpm

# Of a checkout, what git has. An unpacked archive has all of that, and maybe what was built in it.
dist:
	mkdir -p build
	if [ -e .git ]; then \
		git ls-files -z > build/files || { \
			echo "This is a checkout, and git does not say what belongs to it." >&2; \
			echo "Nothing is packed." >&2; \
			exit 1; \
		}; \
	else \
		find . \( -name .git -o $(built) \) -prune -o -type f -printf '%P\0' > build/files; \
	fi
	LC_ALL=C sort -z -o build/files build/files
	env -u TAR_OPTIONS $(archive) --mtime=@$(SOURCE_DATE_EPOCH) --transform 's,^,$(name)/,' \
		--null -T build/files -cf build/$(name).tar
	env -u XZ_OPT -u XZ_DEFAULTS xz -f -T1 build/$(name).tar
	rm build/files

deb: dist
	rm -rf build/deb
	mkdir build/deb
	cp build/$(name).tar.xz build/deb/klp-sets_$(KLP_SETS_VERSION).orig.tar.xz
	umask 022 && tar -C build/deb -xf build/$(name).tar.xz
	umask 022 && cp -r build/deb/$(name)/packaging/debian build/deb/$(name)/
	sed -i 's/@VERSION@/$(KLP_SETS_VERSION)/' build/deb/$(name)/debian/changelog
	umask 022 && cd build/deb/$(name) && dpkg-buildpackage -us -uc $(DEB_OPTIONS)
	ls build/deb/*.deb

# Nothing of this machine is in them. So the source package, in which rpmbuild puts all folders
# that it is told, is made apart, and told none; and debug information, which is about folders,
# is left to those who build from that.
rpm: dist
	rm -rf build/rpm
	mkdir build/rpm
	sed 's/@VERSION@/$(KLP_SETS_VERSION)/' packaging/rpm/klp-sets.spec > build/rpm/klp-sets.spec
	touch -d @$(SOURCE_DATE_EPOCH) build/rpm/klp-sets.spec build/$(name).tar.xz
	chmod 644 build/rpm/klp-sets.spec build/$(name).tar.xz
	cd build && rpmbuild -bs --define "_topdir rpm" --define "_sourcedir ." $(rpm_same) \
		$(RPM_OPTIONS) rpm/klp-sets.spec
	umask 022 && rpmbuild -bb --define "_topdir $(CURDIR)/build/rpm" \
		--define "_sourcedir $(CURDIR)/build" --define "debug_package %{nil}" \
		--define "build_path_hidden 1" $(rpm_same) $(RPM_OPTIONS) build/rpm/klp-sets.spec
	ls build/rpm/RPMS/*/*.rpm

rpm_same := --define "_buildhost localhost" --define "use_source_date_epoch_as_buildtime 1" \
	--define "clamp_mtime_to_source_date_epoch 1" \
	--define "build_mtime_policy clamp_to_source_date_epoch"

# Virtual machines: demonstration and tests. See tests/vm/README.md.

.PHONY: help check check-debug check-random check-packages check-fleet check-compilers check-arch lint fuzz mutants bench demo model

help:
	@echo "make                       the module, for the running kernel or KDIR="
	@echo "make install               the module, and what client modules are built with"
	@echo "make install-dev           only the latter, beside a module that DKMS has installed"
	@echo "make uninstall             what make install has installed; make uninstall-dev likewise"
	@echo "make clean                 all that was built here"
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
	@echo "make check-arch            src/ and livepatches for arm64, s390x and ppc64le: compiled, read"
	@echo "make lint                  clang-tidy, cppcheck, shellcheck and checkpatch.pl"
	@echo "make mutants               small mistakes in src/, and whether tests find them: tests/mutants/README.md"
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

check-arch:
	@V="$(V)" tests/arch/check

lint:
	@tests/lint/check

fuzz:
	@MINUTES="$(MINUTES)" tests/fuzz/check

mutants:
	@COUNT="$(COUNT)" SEED="$(SEED)" KERNEL="$(KERNEL)" TESTS="$(TESTS)" tests/mutants/check

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
