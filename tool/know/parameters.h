/* SPDX-License-Identifier: GPL-2.0 */
/* parameters.h - the parameters that a module is loaded with */
#ifndef KLP_SETS_KNOW_PARAMETERS_H
#define KLP_SETS_KNOW_PARAMETERS_H

struct module_file;

/* Ends the process when one of the words, up to a NULL, has not this form. */
void parameters_need_form(const char *verb, char **words);
/*
 * Words "NAME=VALUE", up to a NULL, as the kernel wants them, in one string; NULL when there are
 * none. Ends the process when one is a parameter that the module does not have.
 */
char *parameters_from_words(const struct module_file *file, char **words);

#endif /* KLP_SETS_KNOW_PARAMETERS_H */
