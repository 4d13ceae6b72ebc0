/*
 * timer ROUNDS FILE: how long commands take, from the start of the process to its end
 * reaped. FILE has one command after another, each a line with the number of its arguments
 * and then one line for each of them. Round after round runs every command once, so that a
 * machine that grows slower grows slower for all alike. One line a run comes out: the number
 * of the command, from 1, and the nanoseconds. A command that does not end with 0 ends the
 * measurement: what fails fast must not count as fast.
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

#define COMMANDS 32
#define ARGUMENTS 64

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

static int read_commands(const char *path, char *commands[COMMANDS][ARGUMENTS + 1])
{
	FILE *file = fopen(path, "r");
	int count = 0, i, arguments;
	char *line;

	if (!file)
		die("open", path);
	for (; count < COMMANDS && (line = read_line(file)); count++) {
		arguments = atoi(line);
		free(line);
		errno = EINVAL;
		if (arguments < 1 || arguments > ARGUMENTS)
			die("read", path);
		for (i = 0; i < arguments; i++)
			if (!(commands[count][i] = read_line(file)))
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

/* The nanoseconds that a command takes; it is an error if its status is not 0. */
static long long run(char **argv)
{
	long long start = now(), end;
	int status;
	pid_t pid;

	errno = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
	if (errno || waitpid(pid, &status, 0) < 0)
		die("start", argv[0]);
	end = now();
	if (status) {
		fprintf(stderr, "timer: %s ended with status %d\n", argv[0],
			WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
		exit(1);
	}
	return end - start;
}

int main(int argc, char **argv)
{
	static char *commands[COMMANDS][ARGUMENTS + 1];
	int count, round, rounds, i, results, null;

	if (argc != 3 || (rounds = atoi(argv[1])) < 1) {
		fprintf(stderr, "usage: timer ROUNDS FILE\n");
		return 2;
	}
	count = read_commands(argv[2], commands);

	results = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (results < 0 || null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0)
		die("open", "/dev/null");

	for (round = 0; round < rounds; round++)
		for (i = 0; i < count; i++)
			dprintf(results, "%d %lld\n", i + 1, run(commands[i]));
	return 0;
}
