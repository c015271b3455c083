#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

/* One function per command. argv[0] is the command's name; the result is the exit status: 0 done,
 * 1 failed, 2 bad usage or bad input. */

int command_run(int argc, char **argv);
int command_sweep(int argc, char **argv);
int command_slots(int argc, char **argv);
int command_generate(int argc, char **argv);
int command_digest(int argc, char **argv);
int command_diff(int argc, char **argv);
int command_verify(int argc, char **argv);
int command_trace(int argc, char **argv);
int command_tokenize(int argc, char **argv);
int command_import(int argc, char **argv);
int command_export(int argc, char **argv);
int command_info(int argc, char **argv);

#endif
