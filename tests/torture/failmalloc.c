/*
 * Preloaded before a program, it lets allocations fail where shim.py says so,
 * and keeps account of all blocks, so that shim.py sees what is left at the
 * end. Whatever calls malloc() is hit: the program, its libraries, libc.
 *
 * The file of FAILMALLOC is shared with shim.py, which knows its layout. A
 * freed block is filled and kept back for a while, and realloc() always moves:
 * a use of what is gone crashes here rather than goes unseen. A sanitizer does
 * that better; then (FAILMALLOC_PLAIN) it is left to it.
 *
 * It stands for libc's own allocator, of which there is one in a process: this
 * is why it has state of file scope.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <unwind.h>

#define FRAMES	     24
#define BLOCK_FRAMES 10
#define SLOTS	     (1u << 17)	/* a power of two */
#define MODULES	     32
#define NUMBERS	     (1u << 16)
#define KEPT	     4096
#define KEPT_SIZE    65536	/* larger ones are given back at once */
#define EARLY_SIZE   16384
#define FRESH	     0xa5
#define GONE	     0xdb

enum mode {
	MODE_OFF,
	MODE_COUNT,		/* none fails; stacks are noted */
	MODE_ONE,		/* the one number `at` fails */
	MODE_SPAN,		/* from `at` on, until `span_ns` have passed */
};

struct module {
	uint64_t base;
	char name[120];
};

struct block {
	uint64_t address;	/* 0: none */
	uint64_t size;
	uint64_t frames[BLOCK_FRAMES];
};

struct control {
	_Atomic uint64_t mode;
	uint64_t at;
	uint64_t span_ns;
	_Atomic uint64_t count;		/* allocations since it was armed */
	_Atomic uint64_t failed;
	_Atomic uint64_t until_ns;	/* of MODE_SPAN, once it has begun */
	_Atomic uint64_t live;		/* blocks, as are the next two */
	_Atomic uint64_t untracked;	/* the table was full */
	uint64_t module_count;
	uint64_t frames[FRAMES];	/* of the first that failed */
	uint64_t victim[BLOCK_FRAMES];	/* who had made what was misused */
	struct module modules[MODULES];
	uint32_t stacks[NUMBERS];	/* of each number, in a hash */
	uint32_t ours[NUMBERS];		/* the program's part of it */
	struct block blocks[SLOTS];
};

static struct {
	void *(*malloc)(size_t);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	void (*free)(void *);
	int (*posix_memalign)(void **, size_t, size_t);
	void *(*aligned_alloc)(size_t, size_t);
} real;

static struct control *control;
static bool plain;
static uint64_t program_from, program_to;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct block kept[KEPT];		/* freed, oldest at kept_next */
static unsigned kept_next;
static _Thread_local bool inside;	/* the unwinder may allocate */

/* dlsym() allocates while it looks for malloc(); this is never freed. */
static _Alignas(16) char early[EARLY_SIZE];
static size_t early_used;

static void *early_alloc(size_t size)
{
	void *p = early + early_used;

	size = (size + 15) & ~(size_t)15;
	if (size > EARLY_SIZE - early_used)
		abort();
	early_used += size;
	return p;
}

static bool is_early(const void *p)
{
	return (const char *)p >= early && (const char *)p < early + EARLY_SIZE;
}

/* False while it looks. */
static bool find_real(void)
{
	static bool looking;

	if (real.free != NULL || looking)
		return real.free != NULL;
	looking = true;
	real.malloc = dlsym(RTLD_NEXT, "malloc");
	real.calloc = dlsym(RTLD_NEXT, "calloc");
	real.realloc = dlsym(RTLD_NEXT, "realloc");
	real.posix_memalign = dlsym(RTLD_NEXT, "posix_memalign");
	real.aligned_alloc = dlsym(RTLD_NEXT, "aligned_alloc");
	real.free = dlsym(RTLD_NEXT, "free");
	return true;
}

static int note_module(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct module *m = &control->modules[control->module_count];

	(void)size;
	(void)arg;
	m->base = info->dlpi_addr;
	if (control->module_count == 0) {
		const ElfW(Phdr) *last = &info->dlpi_phdr[0];

		for (int i = 0; i < info->dlpi_phnum; i++)
			if (info->dlpi_phdr[i].p_type == PT_LOAD)
				last = &info->dlpi_phdr[i];
		program_from = info->dlpi_addr;
		program_to = info->dlpi_addr + last->p_vaddr + last->p_memsz;
	}
	strncpy(m->name, info->dlpi_name, sizeof(m->name) - 1);
	return ++control->module_count == MODULES;
}

__attribute__((constructor)) static void start(void)
{
	const char *file = getenv("FAILMALLOC");
	int fd;
	void *p;

	if (!find_real())
		abort();
	if (file == NULL)
		return;
	fd = open(file, O_RDWR | O_CLOEXEC);
	p = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*control),
				       PROT_READ | PROT_WRITE, MAP_SHARED,
				       fd, 0);
	if (p == MAP_FAILED)
		abort();
	close(fd);
	plain = getenv("FAILMALLOC_PLAIN") != NULL;
	control = p;
	dl_iterate_phdr(note_module, NULL);
}

struct walk {
	uint64_t *frames;
	unsigned count, room, skip;
};

static _Unwind_Reason_Code on_frame(struct _Unwind_Context *at, void *arg)
{
	struct walk *w = arg;

	if (w->skip > 0) {
		w->skip--;
		return _URC_NO_REASON;
	}
	if (w->count == w->room)
		return _URC_END_OF_STACK;
	w->frames[w->count++] = (uint64_t)_Unwind_GetIP(at);
	return _URC_NO_REASON;
}

/* From the caller of the shim on, and a little more of it: inlining decides
 * how much. */
static __attribute__((noinline)) void note_frames(uint64_t *out, unsigned room)
{
	struct walk w = { .frames = out, .room = room, .skip = 1 };

	memset(out, 0, room * sizeof(*out));
	_Unwind_Backtrace(on_frame, &w);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static bool in_span(uint64_t n)
{
	uint64_t until = atomic_load(&control->until_ns);

	if (n < control->at)
		return false;
	if (until == 0) {
		atomic_store(&control->until_ns, now_ns() + control->span_ns);
		return true;
	}
	return now_ns() < until;
}

static uint64_t mix(uint64_t hash, uint64_t n)
{
	return (hash ^ n) * 0x9e3779b97f4a7c15u;
}

/* Of one process only: addresses are another's in the next. */
static void note_stack(uint64_t n)
{
	uint64_t frames[FRAMES], all = 0, ours = 0;

	if (n >= NUMBERS)
		return;
	note_frames(frames, FRAMES);
	for (unsigned i = 0; i < FRAMES; i++) {
		all = mix(all, frames[i]);
		if (frames[i] >= program_from && frames[i] < program_to)
			ours = mix(ours, frames[i]);
	}
	control->stacks[n] = (uint32_t)(all >> 32);
	control->ours[n] = (uint32_t)(ours >> 32);
}

/* One that fails, or is just counted: n is its number. */
static bool fails(uint64_t mode, uint64_t n)
{
	if (mode == MODE_COUNT) {
		note_stack(n);
		return false;
	}
	if (mode == MODE_ONE ? n != control->at : !in_span(n))
		return false;
	if (atomic_fetch_add(&control->failed, 1) == 0)
		note_frames(control->frames, FRAMES);
	errno = ENOMEM;
	return true;
}

static bool must_fail(void)
{
	uint64_t mode;
	bool failed;

	if (control == NULL || inside)
		return false;
	mode = atomic_load(&control->mode);
	if (mode == MODE_OFF)
		return false;
	inside = true;
	failed = fails(mode, atomic_fetch_add(&control->count, 1));
	inside = false;
	return failed;
}

static unsigned slot_of(uint64_t address)
{
	return (unsigned)((address >> 4) * 0x9e3779b97f4a7c15u >> 40) &
	       (SLOTS - 1);
}

static __attribute__((noinline)) void *track(void *p)
{
	struct block b = { .address = (uint64_t)(uintptr_t)p };
	unsigned i = slot_of(b.address);

	if (p == NULL || control == NULL || inside)
		return p;
	inside = true;
	b.size = malloc_usable_size(p);
	note_frames(b.frames, BLOCK_FRAMES);
	pthread_mutex_lock(&lock);
	if (atomic_load(&control->live) < SLOTS / 4 * 3) {
		while (control->blocks[i].address != 0)
			i = (i + 1) & (SLOTS - 1);
		control->blocks[i] = b;
		atomic_fetch_add(&control->live, 1);
	} else {
		atomic_fetch_add(&control->untracked, 1);
	}
	pthread_mutex_unlock(&lock);
	inside = false;
	return p;
}

/* Closes the gap at i, so that a search never ends before what it looks for. */
static void remove_slot(unsigned i)
{
	struct block *all = control->blocks;
	unsigned j = i, home;

	for (;;) {
		j = (j + 1) & (SLOTS - 1);
		if (all[j].address == 0)
			break;
		home = slot_of(all[j].address);
		if (((j - home) & (SLOTS - 1)) >= ((j - i) & (SLOTS - 1))) {
			all[i] = all[j];
			i = j;
		}
	}
	all[i].address = 0;
	atomic_fetch_sub(&control->live, 1);
}

/* False: it was never tracked. */
static bool untrack(struct block *out, void *p)
{
	uint64_t address = (uint64_t)(uintptr_t)p;
	unsigned i = slot_of(address);
	bool found;

	if (control == NULL)
		return false;
	pthread_mutex_lock(&lock);
	while (control->blocks[i].address != 0 &&
	       control->blocks[i].address != address)
		i = (i + 1) & (SLOTS - 1);
	found = control->blocks[i].address == address;
	if (found) {
		*out = control->blocks[i];
		remove_slot(i);
	}
	pthread_mutex_unlock(&lock);
	return found;
}

static _Noreturn void complain(const char *what, const struct block *b)
{
	memcpy(control->victim, b->frames, sizeof(control->victim));
	if (write(STDERR_FILENO, what, strlen(what)) < 0)
		_exit(98);
	abort();
}

static void check_kept(const struct block *b)
{
	const unsigned char *c = (const unsigned char *)(uintptr_t)b->address;

	for (size_t i = 0; i < b->size; i++)
		if (c[i] != GONE)
			complain("failmalloc: written after free\n", b);
}

/* Gives back the one that was kept longest. */
static void keep(const struct block *b)
{
	struct block oldest;

	memset((void *)(uintptr_t)b->address, GONE, b->size);
	pthread_mutex_lock(&lock);
	oldest = kept[kept_next];
	kept[kept_next] = *b;
	kept_next = (kept_next + 1) % KEPT;
	pthread_mutex_unlock(&lock);
	if (oldest.address == 0)
		return;
	check_kept(&oldest);
	real.free((void *)(uintptr_t)oldest.address);
}

/* One that is not tracked may be one that is kept. */
static void check_twice(const void *p)
{
	for (unsigned i = 0; i < KEPT; i++)
		if (kept[i].address == (uint64_t)(uintptr_t)p)
			complain("failmalloc: freed twice\n", &kept[i]);
}

void free(void *p)
{
	struct block b;

	if (p == NULL || is_early(p) || !find_real())
		return;
	if (!untrack(&b, p)) {
		if (!plain)
			check_twice(p);
		real.free(p);
	} else if (plain || b.size > KEPT_SIZE) {
		real.free(p);
	} else {
		keep(&b);
	}
}

void *malloc(size_t size)
{
	void *p;

	if (!find_real())
		return early_alloc(size);
	if (must_fail())
		return NULL;
	p = real.malloc(size);
	if (p != NULL && control != NULL && !plain)
		memset(p, FRESH, malloc_usable_size(p));
	return track(p);
}

void *calloc(size_t n, size_t size)
{
	if (!find_real())
		return early_alloc(n * size);
	if (must_fail())
		return NULL;
	return track(real.calloc(n, size));
}

static void *move(void *p, size_t size)
{
	size_t had = malloc_usable_size(p);
	void *to = real.malloc(size);

	if (to == NULL)
		return NULL;
	memcpy(to, p, had < size ? had : size);
	return to;
}

void *realloc(void *p, size_t size)
{
	void *to;

	if (p == NULL)
		return malloc(size);
	if (is_early(p))
		abort();
	if (size == 0) {
		free(p);
		return NULL;
	}
	if (must_fail())
		return NULL;
	if (control == NULL)
		return real.realloc(p, size);
	to = move(p, size);
	if (to == NULL)
		return NULL;
	free(p);
	return track(to);
}

void *reallocarray(void *p, size_t n, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(n, size, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(p, all);
}

/* A sanitizer asks for the stack of every thread, and takes no for an end. */
int pthread_getattr_np(pthread_t thread, pthread_attr_t *attr)
{
	static int (*real_one)(pthread_t, pthread_attr_t *);
	bool was = inside;
	int err;

	if (real_one == NULL)
		real_one = dlsym(RTLD_NEXT, "pthread_getattr_np");
	inside = true;
	err = real_one(thread, attr);
	inside = was;
	return err;
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
	int err;

	if (!find_real() || must_fail())
		return ENOMEM;
	err = real.posix_memalign(out, alignment, size);
	if (err == 0)
		track(*out);
	return err;
}

void *aligned_alloc(size_t alignment, size_t size)
{
	if (!find_real() || must_fail())
		return NULL;
	return track(real.aligned_alloc(alignment, size));
}
