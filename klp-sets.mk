# SPDX-License-Identifier: GPL-2.0
#
# klp-sets.mk - to build livepatches against klp-sets. A whole Makefile:
#
#	obj-m := my_patch.o
#	include /usr/share/klp-sets/klp-sets.mk
#
#   make              for the running kernel
#   make KDIR=...     for the kernel with this build directory
#
# A livepatch needs two things of klp-sets: the header klp_sets.h, which is in the
# folder include beside this file, and Module.symvers, the list of what the module
# exports, which is another one for every kernel. The latter is the file that
# KLP_SETS_SYMVERS= names. Without that it is taken from the tree around this file if
# klp-sets has been built in it for this kernel, else from the module that DKMS or
# `make install` have installed.

klp-sets-dir := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))

ifneq ($(KBUILD_EXTMOD),)

# Read by kbuild. It is said here, and not on a command line below, for Makefiles and
# dkms.conf files that call kbuild in their own way.
klp-sets-kdir := $(objtree)
ccflags-y += -I$(klp-sets-dir)/include
override KBUILD_EXTRA_SYMBOLS += $(klp-sets-symvers)

else

KDIR ?= /lib/modules/$(or $(KERNELRELEASE),$(shell uname -r))/build
klp-sets-kdir = $(KDIR)

modules modules_install: klp-sets-ready
modules modules_install clean:
	$(MAKE) -C $(KDIR) M=$(CURDIR) $@

klp-sets-ready:
	$(if $(klp-sets-release),,$(error no kernel headers in $(KDIR)))
	$(if $(klp-sets-symvers),,$(error klp-sets is not installed for kernel $(klp-sets-release)))
	@:

.PHONY: modules modules_install clean klp-sets-ready

endif

# Not "make kernelrelease", Debian's answer to that is another one.
klp-sets-release = $(shell sed -n 's/.*"\(.*\)"/\1/p' \
	$(klp-sets-kdir)/include/generated/utsrelease.h 2> /dev/null)
klp-sets-symvers = $(firstword $(KLP_SETS_SYMVERS) \
	$(shell grep -qsaF 'vermagic=$(klp-sets-release) ' $(klp-sets-dir)/src/klp-sets.ko && \
		echo $(klp-sets-dir)/src/Module.symvers) \
	$(wildcard /var/lib/dkms/klp-sets/kernel-$(klp-sets-release)-*/module/Module.symvers \
		/lib/modules/$(klp-sets-release)/updates/klp-sets.symvers))
