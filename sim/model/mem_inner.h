// SPDX-License-Identifier: GPL-3.0-or-later
/* mem_inner.h - the state of memory, shared by the mem files (and reclaim, which takes memory back).
 *
 * A page is one word: two bits of where it is, three flags, and a number whose meaning goes with the first: a
 * frame, a transfer, or a reason to be away. A frame's reverse entry is the number of its page among all of
 * the host's blocks. Together 8 bytes a resident page, and 36 a block of 512 pages. Untouched pages are words
 * of 0 or have no block.
 *
 * Frames in a pool of the policy hold a page that may be taken. A page that is being fetched has its frame
 * already, in no pool. Every frame is free, in a pool, under a transfer, or held by an owner of another kind.
 */
#ifndef VLAB_MODEL_MEM_INNER_H
#define VLAB_MODEL_MEM_INNER_H

#include "model/disk.h"
#include "model/mem.h"
#include "model/mode.h"
#include "model/tlb.h"
#include "policy/reclaim.h"
#include "program/prog_touch.h"

/* --- pages --- */

enum page_where { PAGE_AWAY, PAGE_RESIDENT, PAGE_SHARED, PAGE_FETCHED };
/* Of a page that is away, in bits 24-26; with flags and rest 0 it is untouched. The 24 bits below are the
 * reclaimer's own. */
enum page_away {
    AWAY_UNTOUCHED,
    AWAY_SWAPPED,
    AWAY_COMPRESSED,
    AWAY_GUEST_SWAPPED,
    AWAY_STRANDED, /* on the host it came from */
    AWAY_ASKED,    /* likewise, and under way: nobody here waits for it */
    AWAY_NKINDS
};

#define PAGE_WHERE_SHIFT 30
#define PAGE_DIRTY       (UINT32_C(1) << 29) /* written since it was last fetched or cleaned */
#define PAGE_COPY        (UINT32_C(1) << 28) /* swap holds what it was when it was last clean */
#define PAGE_ACTIVE      (UINT32_C(1) << 27) /* referred to since vmem.active was last begun */
#define PAGE_NUMBER      ((UINT32_C(1) << 27) - 1)
#define PAGE_AWAY_SHIFT  24

#define MEM_MAX_FRAMES (PAGE_NUMBER + 1)
#define MEM_BLOCK      512u       /* pages: 2 MiB of small ones */
#define MEM_WRITTEN    UINT64_MAX /* mem_io_done: a page went out; nobody waits */

static inline enum page_where page_where(uint32_t w)
{
    return (enum page_where)(w >> PAGE_WHERE_SHIFT);
}
static inline enum page_away page_away(uint32_t w)
{
    return (enum page_away)((w & PAGE_NUMBER) >> PAGE_AWAY_SHIFT);
}
static inline uint32_t page_at(enum page_where where, uint32_t number)
{
    return (uint32_t)where << PAGE_WHERE_SHIFT | number;
}
/* A reference goes through without a fault: the page is there, and not shared if it is written. */
static inline bool page_hits(uint32_t w, bool write)
{
    const uint32_t read_ok = 1u << PAGE_RESIDENT | 1u << PAGE_SHARED, write_ok = 1u << PAGE_RESIDENT;
    return (write ? write_ok : read_ok) >> (w >> PAGE_WHERE_SHIFT) & 1;
}

/* The flags that a reference sets. */
static inline uint32_t page_need(uint32_t ref)
{
    _Static_assert(PROG_TOUCH_WRITE >> 2 == PAGE_DIRTY, "one bit becomes the other");
    return PAGE_ACTIVE | (ref & PROG_TOUCH_WRITE) >> 2;
}

struct mem_block {   /* of a VM's pages; heads stand close together, as they are looked at with every eviction
                      */
    uint32_t *words; /* [MEM_BLOCK]; NULL: the VM is gone */
    struct vmem *vm;
    uint32_t first; /* the number of its first page */
};

struct vmem { /* a VM's memory */
    struct vm *vm;
    struct mem *mem;
    uint32_t index;         /* in mem.vms */
    uint32_t pool;          /* of the policy */
    uint32_t n_blocks;      /* of its pages, made or not */
    uint32_t **blocks;      /* [n_blocks] of words, NULL where nothing was touched; NULL: no touch yet */
    uint32_t *ids;          /* [n_blocks] in mem.blocks */
    struct touch *touchers; /* the tasks in a stretch, see struct touch */
    int64_t resident;       /* pages that have a frame, alone or with others, those on their way included */
    int64_t ballooned,
        shared;         /* in the balloon; frames that sharing saves it: resident - shared are its own */
    int64_t swapped;    /* pages whose content is on the host's swap only */
    int64_t behind;     /* pages whose content is on the host it came from, nobody here waiting for them */
    int64_t active;     /* pages referred to since the last mem_active_begin */
    bool nested;        /* its walks go through two sets of tables */
    uint32_t walk_refs; /* memory references of one walk */
    int64_t walk_ps, more_ps; /* of one walk: native, and what nesting adds */
    uint64_t *gone;           /* while its dirty log is on: pages that were dirty when they left */
    uint64_t *own; /* a bit a page: its content is no more what vms.memory.content says; NULL: not kept */
    struct touch *waited;     /* while it moves: its tasks that waited for a page or a frame */
    struct vreclaim *reclaim; /* mem_reclaim.h; NULL: nothing is taken back on this host */
};

/* --- a task in a touch step --- */

#define TOUCH_LEN 256u

enum touch_stage {
    TOUCH_NEXT,    /* looks at reference i */
    TOUCH_RUN,     /* has run time for references i .. end - 1, which hit; in vmem.touchers */
    TOUCH_SERVED,  /* the page of reference i came by a fault, the reference is done: its time is due */
    TOUCH_FETCH,   /* waits for the page of reference i */
    TOUCH_STARVED, /* waits for any frame */
};

struct touch {
    struct prog_touch gen;
    struct vm *vm;
    uint32_t task;                 /* in vm.tasks */
    uint8_t stage;                 /* enum touch_stage */
    bool counted;                  /* reference i is counted as a fault already */
    bool guest_swap;               /* TOUCH_FETCH: from the guest's own swap */
    uint32_t n;                    /* references drawn */
    uint32_t from, i, end;         /* the stretch: begins, is booked up to, ends before */
    int64_t rest_ps, rest_more_ps; /* of useful time and overhead, what did not fill a ns yet */
    struct touch *prev, *next;     /* in vmem.touchers */
    struct touch *next_waiter;     /* of the same transfer, or for a frame */
    struct tlb *tlb;               /* NULL: not modelled */
    uint32_t refs[TOUCH_LEN];      /* as prog_touch_fill gives them */
    uint8_t miss[TOUCH_LEN];       /* of the TLB */
    int64_t at_ps[TOUCH_LEN + 1];  /* its start, in useful time from the stretch's; rest_ps included */
};

/* --- a host's memory --- */

struct mem_xfer {    /* a page on its way in */
    struct vmem *vm; /* NULL: released meanwhile */
    uint32_t page, frame;
    struct touch *first, *last; /* who waits, in order */
    uint32_t next_free;
    bool guest;  /* from the guest's own swap */
    bool remote; /* over the network: mem_fetched ends it */
};

struct mem_live { /* a running toucher, while mem_sync works */
    struct touch *t;
    int64_t began_ns; /* absolute: when its stretch would have begun, had it run since then */
    uint32_t upto, vcpu;
};

/* Takes one frame from somebody on behalf of v, in no pool then; RECLAIM_NONE: nothing to take. */
typedef uint32_t mem_taker(struct model *m, struct mem *mem, struct vmem *v);
/* A fault on a page that is away for a reason of the reclaimers', or shared and written; t->i is the
 * reference. False: it took no frame and must be tried again when one is free. */
typedef bool mem_odd_fault(struct model *m, struct vmem *v, struct touch *t, uint32_t *word);
/* As disk_page. */
typedef void mem_pager(struct model *m, uint32_t disk, struct vm *vm, bool write, int64_t bytes,
                       uint64_t arg);
/* As migrate_fetch. */
typedef void mem_asker(struct model *m, struct vm *vm, uint32_t page);

struct mem {
    struct mhost *host;
    int64_t page_bytes;
    int64_t frames;      /* the host has so many */
    int64_t reserve;     /* of them, kept free */
    int64_t used;        /* not free */
    uint32_t cap, fresh; /* room in the arrays; frames from here on were never used */
    uint32_t free_head;  /* free frames that were, linked through reverse; RECLAIM_NONE: none */
    uint32_t *reverse;   /* [cap] block number * MEM_BLOCK + page in it */
    struct reclaim *policy;
    bool per_vm;
    struct rng rng; /* the policy's */
    struct mem_block *blocks;
    uint32_t n_blocks, cap_blocks;
    uint32_t free_block; /* numbers that are free again, linked through first; UINT32_MAX: none */
    struct vmem **vms;   /* that touch, in the order of the scenario */
    uint32_t n_vms;
    struct mem_xfer *xfers;
    uint32_t n_xfers, cap_xfers, free_xfer, in_flight;
    struct touch *starved_first, *starved_last;
    struct mem_live *live;           /* [pCPUs + 1] */
    uint32_t n_listed;               /* tasks in a stretch */
    uint32_t ahead;                  /* up to where frames' pages were fetched into the processor's cache */
    mem_taker *takers[SC_NRECLAIMS]; /* in the scenario's order */
    uint32_t n_takers;
    mem_odd_fault *odd_fault;    /* NULL: there are no such pages */
    struct mem_reclaim *reclaim; /* mem_reclaim.h; NULL: nothing is ever taken back */
    bool watched;                /* there is a free target: how much is free is looked at with each frame */
    mem_pager *pager;
    mem_asker *asker;
    int64_t ref_ps;
    bool tlb;
    bool stepping; /* for tests: a stretch is the references of one ns */
    bool oom;      /* a VM was picked and will be gone at once */
    bool owns_book;
};

/* The page's word; NULL: its block was never touched. */
static inline uint32_t *mem_word(const struct vmem *v, uint32_t page)
{
    uint32_t *words = v->blocks ? v->blocks[page / MEM_BLOCK] : NULL;
    return words ? &words[page % MEM_BLOCK] : NULL;
}
static inline uint32_t mem_look(const struct vmem *v, uint32_t page)
{
    const uint32_t *words = v->blocks[page / MEM_BLOCK];
    return words ? words[page % MEM_BLOCK] : 0;
}
/* Whose page a frame holds; good until the next block is made. */
static inline struct mem_block *mem_owner(const struct mem *mem, uint32_t frame, uint32_t *page_in_block)
{
    *page_in_block = mem->reverse[frame] % MEM_BLOCK;
    return &mem->blocks[mem->reverse[frame] / MEM_BLOCK];
}

/* mem_page.c: blocks, frames, what is where */
uint32_t *mem_block_make(struct vmem *v, uint32_t index);
static inline uint32_t *mem_word_make(struct vmem *v, uint32_t page)
{
    uint32_t *words = v->blocks[page / MEM_BLOCK];
    if (!words) words = mem_block_make(v, page / MEM_BLOCK);
    return &words[page % MEM_BLOCK];
}
/* A frame for v, in no pool; by the takers where none is free. RECLAIM_NONE: there is none to have now. */
uint32_t mem_take_frame(struct model *m, struct mem *mem, struct vmem *v);
/* One of the reserve, whoever may give others; RECLAIM_NONE: all are in use. */
uint32_t mem_last_frame(struct mem *mem);
/* It was in no pool, and is free. */
void mem_free_frame(struct mem *mem, uint32_t frame);
/* The page of the word is in this frame from now on, and the frame in its pool. */
static inline void mem_settle_page(struct vmem *v, uint32_t page, uint32_t *word, uint32_t frame)
{
    v->mem->reverse[frame] = v->ids[page / MEM_BLOCK] * MEM_BLOCK + page % MEM_BLOCK;
    *word = page_at(PAGE_RESIDENT, frame) | (*word & (PAGE_COPY | PAGE_ACTIVE));
    reclaim_insert(v->mem->policy, v->pool, frame);
}
/* A reference's effect: dirty, active, and what the policy is told. The page is resident (or shared, read).
 */
static inline void mem_refer(struct vmem *v, uint32_t *word, bool write)
{
    uint32_t w = *word, need = write ? PAGE_ACTIVE | PAGE_DIRTY : PAGE_ACTIVE;
    if ((w & need) != need) {
        v->active += !(w & PAGE_ACTIVE);
        *word = w | need;
    }
    if (page_where(w) == PAGE_RESIDENT) reclaim_touch(v->mem->policy, v->pool, w & PAGE_NUMBER);
}
/* The page of a frame that is in no pool goes to swap; the frame is free to be used again at once. */
void mem_swap_out(struct model *m, struct mem *mem, uint32_t frame);
/* Pages moved into v's count of this level (or out, by < 0). */
static inline void mem_shift(struct model *m, struct vmem *v, enum rec_level level, int64_t *count,
                             int64_t by)
{
    if (by == 0) return;
    *count += by;
    book_shift(m, v->vm->book, level, by * v->mem->page_bytes);
    book_shift(m, v->mem->host->book, level, by * v->mem->page_bytes);
}
/* Forgets who was active. */
void mem_active_begin(struct vmem *v);

/* mem.c */
void mem_free_blocks(struct vmem *v);
/* mem_fault.c: a transfer that nobody waits for any more; one that has come. */
void mem_drop_xfer(struct mem *mem, uint32_t x);
void mem_xfer_done(struct model *m, struct mem *mem, uint32_t x);
/* False: there is no frame, t starves. */
bool mem_fetch_remote(struct model *m, struct vmem *v, struct touch *t, uint32_t *word);
/* mem_move.c */
void mem_fault_remote(struct model *m, struct vmem *v, struct touch *t, uint32_t *word);
void mem_log_gone(struct vmem *v, uint32_t page);
static inline void mem_log_leaves(struct vmem *v, uint32_t page, uint32_t w)
{
    if (v->gone && w & PAGE_DIRTY) mem_log_gone(v, page);
}

/* mem_sync.c: what has been referred to */
/* The task books its stretch up to reference `upto`. */
void mem_book(struct touch *t, uint32_t upto);
/* Out of vmem.touchers, to TOUCH_NEXT. */
void mem_unlist(struct touch *t);
/* Its stretch is over at the reference it ends before: all of it is booked, in order with the others'. */
void mem_stretch_over(struct model *m, struct touch *t);
/* The same, of one that is booked to its end. */
void mem_close_stretch(struct touch *t);
/* The page will not hit any more (or not when written): stretches that refer to it end there. */
void mem_cut(struct model *m, struct vmem *v, uint32_t page, bool writes_only);

/* mem_fault.c */
/* Reference i of t does not hit: its fault is begun; t->stage says what came of it. */
void mem_fault(struct model *m, struct touch *t);
/* Reference i of t is counted, as this kind of fault; once, however often it is tried. */
void mem_count_fault(struct touch *t, enum rec_count what);
/* Reference i of t is done: the page is there. */
void mem_serve(struct touch *t, uint32_t *word);
/* The page of reference i of t comes from a disk into this frame: t waits for it. */
void mem_fetch(struct model *m, struct vmem *v, struct touch *t, uint32_t *word, uint32_t frame, bool guest);
/* t waits for a frame. */
void mem_starve(struct mem *mem, struct touch *t);
/* A frame has become free, or takeable: who waits for one tries again. */
void mem_feed(struct model *m, struct mem *mem);

#endif
