# One Makefile, not recursive. A new module or test needs no edit here.
#
#   make                the daemon, build/release/m2mwsd, and m2mwsctl
#   make check          lint, then every test (make check VARIANT=san: under
#                       AddressSanitizer and UndefinedBehaviorSanitizer)
#   make san cov        the same in those variants; san is built by clang, cov
#                       prints branch coverage
#   make fuzz           each fuzz target for FUZZ_SECONDS (600)
#   make fuzz-smoke     the same for 10 s; make fuzzers VARIANT=fuzz builds only
#   make torture        each allocation of many scenarios fails once
#   make bench          CPU per message against nginx and HAProxy
#   make bench-store    what the embedded CSE costs, and how that grows
#   make bench-reverse  a notification by WebSocket and by long polling
#   make bench-formats  octets and CPU of JSON, CBOR and XML
#   make attack         what hostile peers do to honest ones
#   make check-trixie   builds and passes in a Debian 13 tree
#   make audit          what testssl.sh, sslscan, systemd-analyze and promtool
#                       find
#   make check-systemd  the unit at work under a systemd of its own (root)
#   make deb            the package for this Debian, in build/deb
#   make check-deb      that package at work, from installing to purging (root)
#   make sbom           what the daemon is made of, as build/sbom.spdx.json
#   make install        DESTDIR and PREFIX are honoured
#   make dist format clean

NAME    := m2mwsd
CTL     := m2mwsctl
VERSION := 0.1.0

VARIANT ?= release
B       := build/$(VARIANT)

PREFIX     ?= /usr/local
SYSCONFDIR ?= $(if $(filter /usr,$(PREFIX)),/etc,$(PREFIX)/etc)
SBINDIR    ?= $(PREFIX)/sbin
BINDIR     ?= $(PREFIX)/bin
COMPDIR    ?= $(PREFIX)/share/bash-completion/completions
MANDIR     ?= $(PREFIX)/share/man
UNITDIR    ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
EXAMPLEDIR ?= $(PREFIX)/share/doc/$(NAME)/examples
EXAMPLES   := systemd/drop-in.conf conf/alerts.yml conf/grafana.json

CC        ?= cc
CLANG     ?= clang
PKGS      := libuv sqlite3 jansson libcbor expat
TEST_PKGS := check
PYTHON    ?= /usr/bin/python3

WARN := -Wall -Wextra -Wshadow -Wconversion -Wformat=2 -Wundef \
	-Wstrict-prototypes -Wmissing-prototypes -Wimplicit-fallthrough
MODE_release := -O3 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
MODE_san     := -O1 -g -fno-omit-frame-pointer \
	-fsanitize=address,undefined -fno-sanitize-recover=all
MODE_cov     := -O0 -g --coverage
MODE_fuzz    := -O1 -g -fno-omit-frame-pointer -DFUZZING \
	-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
LINK_release := -pie -Wl,-z,relro,-z,now
# Shared, so that what is preloaded stands between.
LINK_san = -shared-libasan -Wl,-rpath,$(shell $(CC) -print-runtime-dir)
ifneq ($(filter fuzz san,$(VARIANT)),)
CC := $(CLANG)
endif

# Debian 12 ships llhttp as C source without a library, later ones a library.
LLHTTP_SRC := $(if $(wildcard /usr/include/llhttp.h),,/usr/share/llhttp)
ifeq ($(LLHTTP_SRC),)
LLHTTP_LIBS := -lllhttp
else
LLHTTP_CFLAGS := -isystem /usr/share/include/llhttp -DLLHTTP_STRICT_MODE=1
LLHTTP_OBJ    := $(patsubst %,$B/llhttp/%.o,api http llhttp)
endif

# Empty for the targets that need no library.
pkg = $(shell pkg-config $(1) $(PKGS) 2>/dev/null)

ALL_CFLAGS = $(CFLAGS) -std=c11 -D_DEFAULT_SOURCE \
	-DM2MWSD_VERSION='"$(VERSION)"' -DM2MWSD_SYSCONFDIR='"$(SYSCONFDIR)"' \
	-Iinclude -Isrc -MMD -MP $(WARN) $(MODE_$(VARIANT)) $(LLHTTP_CFLAGS) \
	$(call pkg,--cflags)
ALL_LDFLAGS = $(LDFLAGS) $(MODE_$(VARIANT)) $(LINK_$(VARIANT))
LIBS = $(call pkg,--libs) -lwslay -lmbedtls -lmbedx509 -lmbedcrypto $(LLHTTP_LIBS) -lpthread -lm
TEST_LIBS = $(shell pkg-config --libs $(TEST_PKGS) 2>/dev/null) $(LIBS)

OBJ     := $(patsubst src/%.c,$B/%.o,$(wildcard src/*/*.c))
TESTS   := $(patsubst %.c,$B/%,$(wildcard tests/test_*.c))
FUZZERS := $(patsubst %.c,$B/%,$(wildcard tests/fuzz_*.c))
HELPERS := $(patsubst tests/%.c,$B/%,$(filter-out \
	tests/test_%.c tests/fuzz_%.c, \
	$(wildcard tests/*.c tests/bench/*.c tests/attack/*.c)))
# tests/ws_echo.c -> ws-echo, as a user types it
PROGRAMS := $(subst _,-,$(notdir $(HELPERS)))

.PHONY: all programs tests fuzzers check lint unit system san cov fuzz \
	fuzz-smoke torture bench bench-formats bench-reverse bench-store \
	attack audit check-trixie check-systemd check-deb deb sbom install \
	uninstall dist format clean
.SECONDARY:
.DELETE_ON_ERROR:

all: $B/$(NAME) $B/$(CTL)
programs: all $(addprefix $B/,$(PROGRAMS)) $B/failmalloc.so
tests: $(TESTS)
fuzzers: $(FUZZERS)

$B/lib.a: $(OBJ) $(LLHTTP_OBJ)
	rm -f $@ && $(AR) rcs $@ $^
$B/$(NAME): $B/main.o $B/lib.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)
$B/$(CTL): $B/$(CTL).o $B/lib.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$B/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<
# Holds these files: .incbin is nothing that -MMD sees.
$B/ops/admin_console.o: $(wildcard src/ops/console/*)
$B/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Itests -c -o $@ $<
$B/llhttp/%.o: $(LLHTTP_SRC)/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(MODE_$(VARIANT)) $(LLHTTP_CFLAGS) -w -c -o $@ $<

$B/tests/test_%: $B/tests/test_%.o $B/lib.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(TEST_LIBS)
$B/tests/fuzz_%: $B/tests/fuzz_%.o $B/lib.a
	$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(TEST_LIBS)

# A program's other files are in a folder of its name.
define PROGRAM
$B/$(subst _,-,$(notdir $(1))): $B/tests/$(1).o $B/lib.a
	$$(CC) $$(ALL_LDFLAGS) -o $$@ $$^ $$(LIBS)
endef
$(foreach p,$(patsubst $B/%,%,$(HELPERS)),$(eval $(call PROGRAM,$(p))))

# Never sanitized itself: it stands between the program and its allocator.
$B/failmalloc.so: tests/torture/failmalloc.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -std=c11 $(WARN) -O2 -g -fno-omit-frame-pointer \
		-ftls-model=initial-exec -fPIC -shared -o $@ $<

# Stamps: a test runs again only when it has changed. A sanitizer looks for leaks
# where a process ends by itself, and makes forks slow: one process for each.
FORKS_san := CK_FORK=no
FORKS_cov := CK_FORK=no
%.ok: %
	$(FORKS_$(VARIANT)) ./$< && touch $@
check: lint unit system
unit: $(TESTS:=.ok)
lint: all
	./scripts/lint
system: all programs
	$(PYTHON) tests/system/run $B

san:
	$(MAKE) check VARIANT=san
cov:
	rm -rf build/cov
	$(MAKE) unit VARIANT=cov
	./scripts/coverage build/cov
fuzz: FUZZ_SECONDS ?= 600
fuzz-smoke: FUZZ_SECONDS ?= 10
fuzz fuzz-smoke:
	$(MAKE) fuzzers VARIANT=fuzz
	FUZZ_SECONDS=$(FUZZ_SECONDS) ./scripts/fuzz build/fuzz
torture: programs
	$(PYTHON) tests/torture/run $B
bench: programs
	$(PYTHON) tests/bench/run $B
bench-formats: programs
	$(PYTHON) tests/bench/run-formats $B
bench-reverse: programs
	$(PYTHON) tests/bench/run-reverse $B
bench-store: programs
	$(PYTHON) tests/bench/run-store $B
attack: programs
	$(PYTHON) tests/attack/run $B
audit: all
	./scripts/audit
check-trixie:
	./scripts/check-trixie
check-systemd: all
	./scripts/check-systemd
deb:
	./scripts/deb
sbom: all
	./scripts/sbom $B/$(NAME) >build/sbom.spdx.json
check-deb:
	./scripts/check-systemd deb

install: all
	install -D -m 755 $B/$(NAME) $(DESTDIR)$(SBINDIR)/$(NAME)
	install -D -m 755 $B/$(CTL) $(DESTDIR)$(BINDIR)/$(CTL)
	install -D -m 644 man/$(CTL).1 $(DESTDIR)$(MANDIR)/man1/$(CTL).1
	install -D -m 644 scripts/completion/$(CTL) $(DESTDIR)$(COMPDIR)/$(CTL)
	install -D -m 644 man/$(NAME).8 $(DESTDIR)$(MANDIR)/man8/$(NAME).8
	install -D -m 644 man/$(NAME).conf.5 \
		$(DESTDIR)$(MANDIR)/man5/$(NAME).conf.5
	install -D -m 644 man/$(NAME)-security.7 \
		$(DESTDIR)$(MANDIR)/man7/$(NAME)-security.7
	install -d $(DESTDIR)$(SYSCONFDIR)/$(NAME)/conf.d
	test -e $(DESTDIR)$(SYSCONFDIR)/$(NAME)/$(NAME).conf || \
		install -m 644 conf/$(NAME).conf \
		$(DESTDIR)$(SYSCONFDIR)/$(NAME)/$(NAME).conf
	test -e $(DESTDIR)$(SYSCONFDIR)/$(NAME)/originators || \
		install -m 640 conf/originators \
		$(DESTDIR)$(SYSCONFDIR)/$(NAME)/originators
	install -d $(DESTDIR)$(UNITDIR)
	sed -e 's|@SBINDIR@|$(SBINDIR)|' -e 's|@SYSCONFDIR@|$(SYSCONFDIR)|' \
		systemd/$(NAME).service > $(DESTDIR)$(UNITDIR)/$(NAME).service
	chmod 644 $(DESTDIR)$(UNITDIR)/$(NAME).service
	install -m 644 systemd/$(NAME).socket $(DESTDIR)$(UNITDIR)
	install -D -m 644 systemd/$(NAME).sysusers \
		$(DESTDIR)$(SYSUSERSDIR)/$(NAME).conf
	install -d $(DESTDIR)$(EXAMPLEDIR)
	install -m 644 $(EXAMPLES) $(DESTDIR)$(EXAMPLEDIR)
uninstall:
	rm -f $(DESTDIR)$(SBINDIR)/$(NAME) \
		$(DESTDIR)$(BINDIR)/$(CTL) \
		$(DESTDIR)$(MANDIR)/man1/$(CTL).1 \
		$(DESTDIR)$(COMPDIR)/$(CTL) \
		$(DESTDIR)$(MANDIR)/man8/$(NAME).8 \
		$(DESTDIR)$(MANDIR)/man5/$(NAME).conf.5 \
		$(DESTDIR)$(MANDIR)/man7/$(NAME)-security.7 \
		$(DESTDIR)$(UNITDIR)/$(NAME).service \
		$(DESTDIR)$(UNITDIR)/$(NAME).socket \
		$(DESTDIR)$(SYSUSERSDIR)/$(NAME).conf \
		$(addprefix $(DESTDIR)$(EXAMPLEDIR)/,$(notdir $(EXAMPLES)))

dist:
	git archive --prefix=$(NAME)-$(VERSION)/ \
		-o $(NAME)-$(VERSION).tar.gz HEAD
format:
	clang-format -i $$(git ls-files '*.c' '*.h')
clean:
	rm -rf build $(NAME)-*.tar.gz
compile_commands.json:
	bear -- $(MAKE) -B all tests programs

-include $(shell find $B -name '*.d' 2>/dev/null)
