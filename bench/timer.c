/*
 * timer FILE: how long commands take, from the start of the process to its end reaped. FILE
 * has one command after another, each a line with the number of its arguments and then one
 * line for each of them; after the number may stand, behind a blank, a file that the command
 * finds open as its descriptor 9. The bench writes the number of a command, from 1, in a line
 * on standard input, and gets the milliseconds in a line on standard output; for a
 * command that does not end with 0, that it did not: what fails fast must not count as fast.
 *
 * posix_spawn costs the same however large the starter is. The commands get no input; what
 * they print is thrown away but for standard error, which is where they say why they failed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COMMANDS 64
#define ARGUMENTS 256
#define FILE_FD 9

struct command {
	char *file; /* for FILE_FD, or NULL */
	char *argv[ARGUMENTS + 1];
};

static void __attribute__((noreturn)) die(const char *what, const char *subject)
{
	fprintf(stderr, "timer: %s %s: %s\n", what, subject, strerror(errno));
	exit(1);
}

static char *read_line(FILE *file)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n = getline(&line, &room, file);

	if (n < 0)
		return NULL;
	if (n > 0 && line[n - 1] == '\n')
		line[n - 1] = '\0';
	return line;
}

static int read_commands(const char *path, struct command *commands)
{
	FILE *file = fopen(path, "r");
	int count = 0, i, arguments;
	char *line, *rest;

	if (!file)
		die("open", path);
	for (; count < COMMANDS && (line = read_line(file)); count++) {
		arguments = (int)strtol(line, &rest, 10);
		errno = EINVAL;
		if (arguments < 1 || arguments > ARGUMENTS)
			die("read", path);
		if (*rest == ' ' && !(commands[count].file = strdup(rest + 1)))
			die("read", path);
		free(line);
		for (i = 0; i < arguments; i++)
			if (!(commands[count].argv[i] = read_line(file)))
				die("read", path);
	}
	fclose(file);
	return count;
}

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* The nanoseconds that a command takes, and its status as a shell would show it. */
static long long run(const struct command *command, int *result)
{
	posix_spawn_file_actions_t actions;
	char *const *argv = command->argv;
	long long start, end;
	int status;
	pid_t pid;

	errno = posix_spawn_file_actions_init(&actions);
	if (!errno && command->file)
		errno = posix_spawn_file_actions_addopen(&actions, FILE_FD, command->file,
							 O_RDONLY, 0);
	if (errno)
		die("prepare", argv[0]);
	start = now();
	errno = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	if (errno || waitpid(pid, &status, 0) < 0)
		die("start", argv[0]);
	end = now();
	posix_spawn_file_actions_destroy(&actions);
	*result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return end - start;
}

/* Moves a standard stream to where no command has it, and leaves it nothing instead. */
static FILE *take(int fd, int null, const char *mode)
{
	int mine = fcntl(fd, F_DUPFD_CLOEXEC, FILE_FD + 1);
	FILE *file = mine < 0 ? NULL : fdopen(mine, mode);

	if (!file || dup2(null, fd) < 0)
		die("open", "/dev/null");
	return file;
}

int main(int argc, char **argv)
{
	static struct command commands[COMMANDS];
	FILE *questions, *answers;
	int count, number, null, status;
	long long taken;
	char *line;

	if (argc != 2) {
		fprintf(stderr, "usage: timer FILE\n");
		return 2;
	}
	count = read_commands(argv[1], commands);

	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	questions = take(STDIN_FILENO, null, "r");
	answers = take(STDOUT_FILENO, null, "w");
	for (; (line = read_line(questions)); free(line)) {
		number = atoi(line);
		errno = EINVAL;
		if (number < 1 || number > count)
			die("find command", line);
		taken = run(&commands[number - 1], &status);
		if (status)
			fprintf(answers, "ended with status %d\n", status);
		else
			fprintf(answers, "%.6f\n", (double)taken / 1e6);
		fflush(answers);
	}
	return 0;
}
