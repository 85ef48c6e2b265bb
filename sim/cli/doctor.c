// SPDX-License-Identifier: GPL-3.0-or-later
/* vlab doctor: what this machine has of what vlab can use, a line each, with the remedy where it is missing.
 */
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "kvm/runner/confined.h"
#include "kvm/runner/dispatch.h"
#include "kvm/runner/switches.h"
#include "out/gnuplot.h"
#include "out/term.h"

struct finding {
    bool good;
    const char *what;
    char text[256];   /* what was found, or what does not work without it */
    const char *cure; /* where not good */
};

static void gnuplot(struct finding *f)
{
    f->good = gnuplot_found();
    snprintf(f->text, sizeof f->text, f->good ? "vlab plot draws figures" : "no figures (vlab plot)");
    f->cure = GNUPLOT_REMEDY;
}

/* Whether a font file lies under dir, a few levels deep. */
static bool has_font(const char *dir, int depth)
{
    DIR *d = opendir(dir);
    bool found = false;
    if (!d) return false;
    for (struct dirent *e; !found && (e = readdir(d));) {
        const char *dot = strrchr(e->d_name, '.');
        if (e->d_name[0] == '.') continue;
        if (dot && (strcmp(dot, ".ttf") == 0 || strcmp(dot, ".otf") == 0 || strcmp(dot, ".pfb") == 0)) {
            found = true;
        } else if (depth > 0) {
            char path[4096];
            if (snprintf(path, sizeof path, "%s/%s", dir, e->d_name) < (int)sizeof path)
                found = has_font(path, depth - 1);
        }
    }
    closedir(d);
    return found;
}

static void fonts(struct finding *f)
{
    f->good = has_font("/usr/share/fonts", 3) || has_font("/usr/local/share/fonts", 3);
    snprintf(f->text, sizeof f->text,
             f->good ? "letters on PNG figures" : "PNG figures would have no letters");
    f->cure = "apt-get install fonts-dejavu-core";
}

static void kvm(struct finding *f)
{
    f->good = access("/dev/kvm", R_OK | W_OK) == 0;
    int e = errno;
    if (f->good) {
        snprintf(f->text, sizeof f->text,
                 "guests for --backend=kvm and vlab validate (vlab kvm probe says more)");
    } else {
        snprintf(f->text, sizeof f->text, "no KVM guests: %s", strerror(e));
    }
    f->cure = e == EACCES || e == EPERM
                  ? "join the group that owns /dev/kvm: sudo usermod -aG kvm $USER, then log in again"
                  : "enable virtualization in the firmware (in a VM: nested virtualization), then modprobe "
                    "kvm_intel or kvm_amd";
}

static bool beside(const char *name)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 32);
    path[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(path, '/');
    if (slash) snprintf(slash + 1, 32, "%s", name);
    return slash && access(path, X_OK) == 0;
}

static void vmm(struct finding *f)
{
    f->good = beside("vlab-vmm");
    snprintf(f->text, sizeof f->text,
             f->good ? "the program that runs a guest is beside vlab" : "no KVM guests: not beside vlab");
    f->cure = "build it: make";
}

static void proc(struct finding *f)
{
    f->good = beside("vlab-proc");
    snprintf(f->text, sizeof f->text,
             f->good ? "the same work without KVM, in native processes, is beside vlab"
                     : "no native processes: not beside vlab");
    f->cure = "build it: make";
}

static void sandbox(struct finding *f)
{
    f->good = confined_look(f->text, sizeof f->text);
    f->cure = "a kernel with CONFIG_SECCOMP_FILTER is needed, and a vlab built without sanitizers (make)";
}

static void eevdf(struct finding *f)
{
    struct switches s;
    int e = switches_open(&s, 0);
    if (e == 0) switches_done(&s);
    bool young = host_kernel_at_least(6, 6);
    f->good = young && e == 0;
    snprintf(f->text, sizeof f->text, "%s",
             f->good ? "scheduler: eevdf is this kernel's own, and its switches can be followed"
             : young ? "no scheduler: eevdf on kvm and proc: context switches cannot be followed"
                     : "no scheduler: eevdf on kvm and proc: this kernel is older than 6.6");
    f->cure = young ? "sudo sysctl kernel.perf_event_paranoid=2" : "use scheduler: cfs, or a newer kernel";
}

static void fifo(struct finding *f)
{
    f->good = dispatch_fifo_allowed();
    snprintf(f->text, sizeof f->text,
             f->good ? "the dispatcher of kvm and proc may be real-time: slices hold within 5 %%"
                     : "the dispatcher of kvm and proc is an ordinary process: slices hold within 10 %%");
    f->cure = "run as root, or give your user an rtprio limit in /etc/security/limits.conf and log in again";
}

/* What each backend lacks here, in a word, after all that was found. */
static void verdict(const char *backend, bool works, const char *lacks)
{
    printf("  --backend=%-4s %s%s\n", backend,
           works ? "works here" : "does not work here: ", works ? "" : lacks);
}

static void verdicts(void)
{
    bool dev = access("/dev/kvm", R_OK | W_OK) == 0, guest = beside("vlab-vmm");
    verdict("sim", true, "");
    verdict("kvm", dev && guest,
            dev ? "vlab-vmm is not built"
                : "/dev/kvm cannot be opened; --backend=proc can do "
                  "what needs no devices");
    verdict("proc", beside("vlab-proc"), "vlab-proc is not built");
}

static void cgroup(struct finding *f)
{
    static const char *const places[] = {"/sys/fs/cgroup/cgroup.subtree_control", "/sys/fs/cgroup/cpu",
                                         "/sys/fs/cgroup/cpu,cpuacct"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        f->good = f->good || access(places[i], W_OK) == 0;
    snprintf(f->text, sizeof f->text,
             f->good ? "weights and limits for guests under scheduler: eevdf"
                     : "no weights or limits for guests under scheduler: eevdf");
    f->cure =
        "run as root, or have a cgroup delegated: systemd-run --user --scope -p Delegate=yes ./vlab ...";
}

static void cpus(struct finding *f)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    f->good = n >= 2;
    snprintf(f->text, sizeof f->text,
             "%d to use: on KVM all hosts of a scenario together have at most as many pCPUs", n);
    f->cure = "scenarios with two pCPUs stay in simulation here";
}

static void terminal(struct finding *f)
{
    struct winsize w = {0};
    const char *term = getenv("TERM");
    if (!isatty(STDOUT_FILENO)) {
        f->good = true;
        snprintf(f->text, sizeof f->text, "standard output is not one: no colour");
        return;
    }
    bool dumb = !term || !*term || strcmp(term, "dumb") == 0;
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0;
    bool small = known && (w.ws_col < 80 || w.ws_row < 24);
    f->good = !dumb && !small;
    snprintf(f->text, sizeof f->text, "%s, %d columns by %d lines", dumb ? "TERM is dumb or not set" : term,
             w.ws_col, w.ws_row);
    f->cure =
        dumb ? "export TERM=xterm-256color (or what yours is)" : "make it 80 columns by 24 lines or more";
}

static void locale(struct finding *f)
{
    f->good = term_style_of(STDOUT_FILENO).utf8;
    snprintf(f->text, sizeof f->text,
             f->good ? "UTF-8: bars and marks" : "not UTF-8: bars and marks in ASCII");
    f->cure = "export LANG=C.UTF-8";
}

static const struct {
    const char *what;
    void (*look)(struct finding *f);
} checks[] = {{"gnuplot", gnuplot}, {"fonts", fonts},     {"/dev/kvm", kvm},      {"vlab-vmm", vmm},
              {"vlab-proc", proc},  {"sandbox", sandbox}, {"eevdf", eevdf},       {"real time", fifo},
              {"cgroups", cgroup},  {"CPUs", cpus},       {"terminal", terminal}, {"locale", locale}};

int cli_doctor(int argc, char **argv)
{
    static const char usage[] = "usage: vlab doctor\nWhat this machine has of what vlab can use, and how to "
                                "get the rest. Changes nothing.\n";
    if (argc > 1) {
        bool help = strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0;
        fputs(usage, help ? stdout : stderr);
        return help ? CLI_OK : CLI_USAGE;
    }
    struct term_style style = term_style_of(STDOUT_FILENO);
    printf("Simulation needs nothing but vlab itself. What else vlab can use here:\n");
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        struct finding f = {.what = checks[i].what, .cure = ""};
        checks[i].look(&f);
        printf("  %s%-7s%s  %-9s %s%s%s\n", term_ink(style, f.good ? TERM_GOOD : TERM_WARN),
               f.good ? "ok" : "missing", term_ink(style, TERM_PLAIN), f.what, f.text, f.good ? "" : "; ",
               f.good ? "" : f.cure);
    }
    verdicts();
    return CLI_OK;
}
