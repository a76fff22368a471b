# Virtual machines: demonstration and tests. See tests/vm/README.md.

.PHONY: help check demo

help:
	@echo "make demo                  replace sets in a virtual machine, on this terminal"
	@echo "make check                 all tests, in virtual machines of all kernels"
	@echo "make check KERNELS=\"6.1\"   only these of: 5.10 6.1 6.12 newest"
	@echo "make check TESTS=\"name\"    only these files of tests/functional"

check:
	@KERNELS="$(KERNELS)" TESTS="$(TESTS)" V="$(V)" tests/vm/check

demo:
	@tests/vm/demo
