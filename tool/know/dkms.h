/* SPDX-License-Identifier: GPL-2.0 */
/* dkms.h - why the module klp_sets is not there */
#ifndef KLP_SETS_KNOW_DKMS_H
#define KLP_SETS_KNOW_DKMS_H

/*
 * What has to be done so that modprobe finds the module for this kernel: a sentence for the end of
 * a message. To be freed.
 */
char *dkms_advice(const char *release);

#endif /* KLP_SETS_KNOW_DKMS_H */
