/* Makes every sync take a set time at least, as on a small board's card: preloaded into the benchmark's process.
 * OTRDB_BENCHMARK_SYNC_NS says how long, in nanoseconds.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static long long now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1000000000LL + at.tv_nsec;
}

static int slowed(const char *name, int file)
{
    int (*sync_file)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    const char *setting = getenv("OTRDB_BENCHMARK_SYNC_NS");
    long long end = now() + (setting ? atoll(setting) : 0);
    int result = sync_file(file);
    long long left = end - now();
    if (left > 0) {
        struct timespec rest = {left / 1000000000LL, left % 1000000000LL};
        nanosleep(&rest, NULL);
    }
    return result;
}

int fsync(int file) { return slowed("fsync", file); }
int fdatasync(int file) { return slowed("fdatasync", file); }
