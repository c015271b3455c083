#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

/* One function per command. argv[0] is the command's name; the result is the exit status: 0 done,
 * 1 failed, 2 bad usage or bad input. */

#define COMMAND(name, summary) int command_##name(int argc, char **argv);
#include "cli/commands.def"
#undef COMMAND

#endif
