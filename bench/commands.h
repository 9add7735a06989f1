// Commands of whoever started the program: lines on its standard input.
#ifndef COMMANDS_H
#define COMMANDS_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Ends the program when whoever commands is gone.
static void read_commands(void (*command)(const char *line)) {
  static char text[65536];
  static size_t len;
  ssize_t n = read(0, text + len, sizeof text - 1 - len);
  if (n <= 0) exit(0);
  len += n;
  text[len] = 0;
  char *line = text;
  for (char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
    *end = 0;
    command(line);
  }
  len = strlen(line);
  if (len == sizeof text - 1) len = 0;  // no command is so long
  memmove(text, line, len);
  fflush(stdout);
}

#endif
