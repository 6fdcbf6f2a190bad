/*
 * Removal of tombstones (docs/protocol.md 6) on one register: 3 nodes, 2 client operations, the late messages
 * of an older one, and removal jobs that turn a tombstone into stubs and drop the stubs.
 *
 * At the start group G (state 1) was chosen at (1,0) and its tombstone T (state 2) at (2,0) by all nodes, or
 * at (2,1) by two nodes while the third still holds G. All messages of that history may still arrive. Two
 * operations then read, create, delete, repair, write fast or in classic rounds, at any time before, between
 * and after the steps of the removal.
 *
 * There is no clock. The model has only the promise of the grace time: when it is over, everything that was
 * alive when it began is dead: each operation, its messages, and the view that it started from. Messages are
 * a set, as in exactly-once.pml. README.md gives the abstractions.
 *
 * Each macro of the section "rules" breaks one rule on purpose.
 */

/* ---- bounds ---- */
#ifndef MAX_ROUND
#define MAX_ROUND 4         /* highest round of a ballot that an operation uses */
#endif
#define SLOTS 6             /* 1: G, 2: T, 3 and 4: attempts of operation 1, 5 and 6: of operation 2; 0 is absent */
#define FIRST_OF(o) (2 * (o) + 1)
#ifndef LAST2
#define LAST2 5             /* last attempt of operation 2: 5 or 6 */
#endif
#ifdef ONE_CONNECTOR
#define PROPOSER(o) 1       /* connector 1 runs both operations, the second when the first is dead */
#else
#define PROPOSER(o) (o)
#endif
#ifndef LAST1
#define LAST1 4             /* last attempt of operation 1: 3 or 4 */
#endif
#define LAST_OF(o) ((o) == 1 -> LAST1 : LAST2)
#define OWNER(t) (((t) - 1) / 2)    /* operation 0 is the history */

/*
 * ---- switches of size: ONE_OPERATION, ONE_CONNECTOR (operation 2 starts when operation 1 is dead),
 * SECOND_STUB and
 * SECOND_DROP (jobs 2 and 3 are of a second remover; jobs 0 and 2 send stub, 1 and 3 drop) ---- */

/* ---- rules ---- */
#ifdef NO_GRACE_BEFORE_STUB
#define GRACE_BEFORE_STUB false
#else
#define GRACE_BEFORE_STUB true
#endif
#ifdef NO_GRACE_BEFORE_DROP
#define GRACE_BEFORE_DROP false
#else
#define GRACE_BEFORE_DROP true
#endif
#ifdef NO_SECOND_REPORT
#define SECOND_REPORT false
#else
#define SECOND_REPORT true
#endif
#ifdef STUB_NAMES_STATE
#define STUB_MATCHES(n, j) (job_state[j] == st[vt[n]])
#else
#define STUB_MATCHES(n, j) true
#endif
#ifdef DROP_IGNORES_PROMISE
#define DROP_MATCHES(n, promises) true
#else
#define DROP_MATCHES(n, promises) (promises[n] == prom[n])
#endif
/*
 * Section 3 of protocol.md lets every node answer ok to a prepare at exactly its promise. A stub must not:
 * such an
 * answer does not change the promise, so the drop does not see that a proposer relies on it now. */
#ifdef EQUAL_PREPARE_ON_STUB
#define PREPARE_ALLOWED(n, b) (b >= prom[n])
#else
#define PREPARE_ALLOWED(n, b) (b > prom[n] || (b == prom[n] && !IS_STUB(n)))
#endif
/* A record that was only prepared has the fields of a stub: it has accepted nothing and holds a promise. */
#ifdef STUB_UNMARKED
#define IS_STUB(n) (vt[n] == 0)
#else
#define IS_STUB(n) stub[n]
#endif
#ifdef LEARN_INTO_STUB
#define LEARN_ALLOWED(n, t) true
#else
#define LEARN_ALLOWED(n, t) (!IS_STUB(n) || bal[t] >= prom[n])
#endif
#ifdef REMOVE_ABSENT
#define REMOVABLE(s) ((s) == 0 || tomb[s])
#else
#define REMOVABLE(s) ((s) != 0 && tomb[s])
#endif
#define LIVE(s) ((s) != 0 && !tomb[s])

/* ---- ballots: as in exactly-once.pml ---- */
#define BALLOT(round, proposer) (3 * (round) + (proposer))
#define ROUND(b)   ((b) / 3)
#define IS_FAST(b) ((b) % 3 == 0)
#define QUORUM(b)  (IS_FAST(b) -> 3 : 2)
#define NEXT(t)    BALLOT(ROUND(bal[t]) + 1, (led_tombstone && (t) == 2 -> 1 : 0))
#define FRESH      BALLOT(1, 0)

/* ---- attempts and the states that they propose ---- */
byte bal[7];
byte st[7];         /* proposed state, named by the slot that made it */
byte par[7];        /* parent of the state t */
bit  tomb[7];       /* the state t is a tombstone */
byte past[7];       /* ghost: bit s-1 for the proposed state and all states that it follows, across removals */
byte need[7];       /* ghost: bit s-1 for all states that were chosen when attempt t was sent */

bit  led_tombstone; /* connector 1 keeps the key led when it deletes G: T's next is (3,1) instead of (3,0) */

/* ---- nodes; everything about node n is at index n, so that nodes can be sorted ---- */
byte prom[3] = FRESH;
byte vt[3];         /* attempt accepted or learned; 0 is none */
bit  stub[3];       /* the record is a stub: vt is 0, the promise is kept */
byte votes[3];      /* ghost: bit t-1, the node has accepted attempt t */
byte reported[3];   /* the promise that the node reported to drop job 1 */
#ifdef SECOND_DROP
byte reported2[3];  /* ... and to drop job 3 */
#define LESS_REPORTED2(a, b) (reported2[a] < reported2[b])
#define SWAP_REPORTED2(a, b) SWAP(reported2, a, b)
#else
#define LESS_REPORTED2(a, b) false
#define SWAP_REPORTED2(a, b) skip
#endif
#define NO_REPLY 15
byte reply1[3] = NO_REPLY;
byte reply2[3] = NO_REPLY;

#define VOTED(n, t) ((votes[n] >> ((t) - 1)) & 1)
#define COUNT(t)    (VOTED(0, t) + VOTED(1, t) + VOTED(2, t))
#define CHOSEN(t)   ((t) != 0 && bal[t] != 0 && COUNT(t) >= QUORUM(bal[t]))

/* ---- operations ---- */
bit  finished1;             /* operation 1 is dead */
byte preparing[3];
#define NO_VIEW 15
byte view[3] = NO_VIEW;     /* the attempt whose state the operation has read or assumed; 0 is absent */
byte alive = 1;             /* bit o: operation o was begun and is not dead; bit 3 + j: messages of job j */
#define ALIVE(o) ((alive >> (o)) & 1)
#define DIES(o)  (ALIVE(o) && (awaited_by(0, o) || awaited_by(1, o) || awaited_by(2, o) || awaited_by(3, o)))
#define awaited_by(j, o) ((old[j] >> (o)) & 1)

/* ---- jobs ---- */
byte old[4];                /* what was alive when the job's grace time began */
byte job_ballot[3];         /* k of stub(k) */
byte job_state[3];          /* the tombstone meant, for the rule STUB_NAMES_STATE */
bit  sent[4];

byte removed;               /* ghost: bit s-1, s is a tombstone that was stubbed somewhere, or a state before one */

/*
 * ---- temporaries: z, q, base are 0 again when their atomic step ends; the others live inside one d_step
 * ----
 */
byte z, q, base;
bit happened;
hidden byte i, j, x, k, best, tally, chosen, chain;

#define BEFORE(a, b) (prom[a] < prom[b] || (prom[a] == prom[b] && (vt[a] < vt[b] || (vt[a] == vt[b] && \
  (stub[a] < stub[b] || (stub[a] == stub[b] && (votes[a] < votes[b] || (votes[a] == votes[b] && \
  (reply1[a] < reply1[b] || (reply1[a] == reply1[b] && (reply2[a] < reply2[b] || (reply2[a] == reply2[b] && \
  (reported[a] < reported[b] || (reported[a] == reported[b] && LESS_REPORTED2(a, b)))))))))))))))
#define SWAP(array, a, b) x = array[a]; array[a] = array[b]; array[b] = x
inline order(a, b) {
  if
  :: BEFORE(b, a) ->
     SWAP(prom, a, b); SWAP(vt, a, b); SWAP(stub, a, b); SWAP(votes, a, b);
     SWAP(reply1, a, b); SWAP(reply2, a, b); SWAP(reported, a, b); SWAP_REPORTED2(a, b)
  :: else
  fi
}
inline normalize() {
#ifndef UNSORTED
  order(0, 1); order(1, 2); order(0, 1);
#endif
  x = 0
}

/* What a read of the nodes a and b returns now must follow everything that is chosen by now. */
#define HIGHEST(a, b) (bal[vt[a]] >= bal[vt[b]] -> vt[a] : vt[b])
#define KNOWN(a, b)   (HIGHEST(a, b) == 0 || CHOSEN(HIGHEST(a, b)))
#define READ_IS_RIGHT(a, b) (!KNOWN(a, b) || (chosen & ~(HIGHEST(a, b) == 0 -> removed : past[HIGHEST(a, b)])) == 0)

inline compute_chosen() {
  chosen = 0; chain = 0;
  for (i : 1 .. SLOTS) {
    if
    :: CHOSEN(i) && st[i] != 0 -> chosen = chosen | (1 << (st[i] - 1)); chain = chain | past[i]
    :: else
    fi
  };
  i = 0
}

/*
 * A write on absence takes effect when it is chosen, and follows the states that were removed until then, not
 * those that were removed until it was sent. So the past of such a write, while it is not in the chain yet,
 * grows with every removal. */
inline remove(t) {
  compute_chosen();
  removed = removed | (REMOVABLE(st[t]) -> past[t] : 0);
  for (i : 1 .. SLOTS) {
    x = st[i];
    do
    :: x != 0 && par[x] != 0 -> x = par[x]
    :: else -> break
    od;
    if
    :: bal[i] != 0 && !CHOSEN(i) && (x == 0 || ((chain >> (x - 1)) & 1) == 0) -> past[i] = past[i] | removed
    :: else
    fi
  };
  i = 0
}

inline check() {
  compute_chosen();
  for (i : 1 .. SLOTS) {
    if
    :: CHOSEN(i) ->
       /*
        * Nothing chosen is lost: an attempt that was sent after s was chosen, and is chosen itself,
        * follows s. So a deleted group does not come back. */
       assert((need[i] & ~past[i]) == 0);
       /* One chain: of two chosen states one follows the other. */
       for (j : 1 .. SLOTS) {
         assert(!CHOSEN(j) || (past[i] & ~past[j]) == 0 || (past[j] & ~past[i]) == 0)
       }
    :: else
    fi
  }
  /* No operation happens twice. */
  for (i : 1 .. 2) { assert(((chain >> (FIRST_OF(i) - 1)) & (chain >> FIRST_OF(i)) & 1) == 0) }
  /* Reads. */
  assert(READ_IS_RIGHT(0, 1)); assert(READ_IS_RIGHT(0, 2)); assert(READ_IS_RIGHT(1, 2));
  i = 0
}

/* ---- the nodes and the network ---- */
#define SHOW(what, n, t) printf(what, n, t, ROUND(bal[t]), bal[t] % 3, st[t])
#define ACCEPT(n, t) :: atomic { ALIVE(OWNER(t)) && bal[t] != 0 && bal[t] >= prom[n] && bal[t] > bal[vt[n]] -> d_step { \
    vt[n] = t; stub[n] = 0; votes[n] = votes[n] | (1 << (t - 1)); prom[n] = NEXT(t); \
    SHOW("node %d accepts attempt %d at (%d,%d), state %d\n", n, t); \
    check(); normalize() } }
/*
 * A learn comes from the operation that saw its attempt chosen, or from one that has read the state: a
 * repair.
 */
#define KNOWS(t) (CHOSEN(t) && (ALIVE(OWNER(t)) || (ALIVE(1) && view[1] == t) || (ALIVE(2) && view[2] == t)))
#define LEARN(n, t) :: atomic { KNOWS(t) && bal[t] > bal[vt[n]] && LEARN_ALLOWED(n, t) -> d_step { \
    vt[n] = t; stub[n] = 0; prom[n] = (NEXT(t) > prom[n] -> NEXT(t) : prom[n]); \
    SHOW("node %d learns attempt %d at (%d,%d), state %d\n", n, t); \
    check(); normalize() } }
#ifdef REPAIR_MUST_REACH
/* A repair that knows a chosen group must be able to hand it to a node that lacks it. */
#define IGNORED(n, t) :: atomic { \
    KNOWS(t) && bal[t] > bal[vt[n]] && !LEARN_ALLOWED(n, t) && LIVE(st[t]) && t >= 3 -> \
    SHOW("node %d ignores the learn of attempt %d at (%d,%d), state %d\n", n, t); assert(false) }
#else
#define IGNORED(n, t)
#endif
#define PREPARE(n, o, replies) :: atomic { \
    preparing[o] != 0 && PREPARE_ALLOWED(n, preparing[o]) && replies[n] == NO_REPLY -> d_step { \
    prom[n] = preparing[o]; replies[n] = vt[n]; \
    printf("node %d promises (%d,%d) to operation %d, has accepted attempt %d\n", \
      n, ROUND(preparing[o]), preparing[o] % 3, o, vt[n]); normalize() } }
#define EACH_ATTEMPT(RULE, n) RULE(n, 1) RULE(n, 2) RULE(n, 3) RULE(n, 4) RULE(n, 5) RULE(n, 6)
#define STUB(n, j) :: atomic { \
    sent[j] && ALIVE(3 + j) && vt[n] != 0 && bal[vt[n]] == job_ballot[j] && STUB_MATCHES(n, j) -> d_step { \
    SHOW("node %d turns attempt %d at (%d,%d), state %d, into a stub\n", n, vt[n]); \
    remove(vt[n]); \
    vt[n] = 0; stub[n] = 1; STUB_PROMISE(n) check(); normalize() } }
#ifdef ONE_STEP_REMOVAL
#define STUB_PROMISE(n) prom[n] = FRESH; stub[n] = 0;
#else
#ifdef STUB_DROPS_PROMISE
#define STUB_PROMISE(n) prom[n] = FRESH;
#else
#define STUB_PROMISE(n)
#endif
#endif
#define HAS_RECORD(n) (vt[n] != 0 || stub[n] || prom[n] != FRESH)
#ifdef ALLOW_LOST_PROMISES
#define ASSERT_NOT_RELIED_ON(n) skip
#else
#define ASSERT_NOT_RELIED_ON(n) assert((!ALIVE(1) || reply1[n] == NO_REPLY) && (!ALIVE(2) || reply2[n] == NO_REPLY))
#endif
/* No promise is lost on which a proposer relies: the answer to a prepare is such a promise. */
#define DROP(n, j, promises) :: atomic { \
    sent[j] && ALIVE(3 + j) && IS_STUB(n) && HAS_RECORD(n) && DROP_MATCHES(n, promises) -> d_step { \
    printf("node %d drops the stub with promise (%d,%d)\n", n, ROUND(prom[n]), prom[n] % 3); \
    prom[n] = FRESH; stub[n] = 0; \
    ASSERT_NOT_RELIED_ON(n); \
    check(); normalize() } }

active proctype Nodes() {
end:
  do
  EACH_ATTEMPT(ACCEPT, 0) EACH_ATTEMPT(ACCEPT, 1) EACH_ATTEMPT(ACCEPT, 2)
  EACH_ATTEMPT(LEARN, 0) EACH_ATTEMPT(LEARN, 1) EACH_ATTEMPT(LEARN, 2)
  EACH_ATTEMPT(IGNORED, 0) EACH_ATTEMPT(IGNORED, 1) EACH_ATTEMPT(IGNORED, 2)
  PREPARE(0, 1, reply1) PREPARE(1, 1, reply1) PREPARE(2, 1, reply1)
  PREPARE(0, 2, reply2) PREPARE(1, 2, reply2) PREPARE(2, 2, reply2)
  STUB(0, 0) STUB(1, 0) STUB(2, 0)
  DROP(0, 1, reported) DROP(1, 1, reported) DROP(2, 1, reported)
#ifdef SECOND_STUB
  STUB(0, 2) STUB(1, 2) STUB(2, 2)
#endif
#ifdef SECOND_DROP
  DROP(0, 3, reported2) DROP(1, 3, reported2) DROP(2, 3, reported2)
#endif
  :: atomic { DIES(0) -> alive = alive & ~1; printf("the old messages are dead\n") }
  :: atomic { DIES(3) -> alive = alive & ~(1 << 3) }
  :: atomic { DIES(4) -> alive = alive & ~(1 << 4) }
  :: atomic { DIES(5) -> alive = alive & ~(1 << 5) }
  :: atomic { DIES(6) -> alive = alive & ~(1 << 6) }
  od
}

/* ---- operations ---- */
#define SEND(ballot, state, parent) \
  bal[t] = ballot; st[t] = state; \
  if \
  :: st[t] == t -> par[t] = parent; past[t] = (par[t] == 0 -> removed : past[par[t]]) | (1 << (t - 1)) \
  :: else -> past[t] = (st[t] == 0 -> removed : past[st[t]]) \
  fi; \
  for (i : 1 .. SLOTS) { \
    if \
    :: CHOSEN(i) && st[i] != 0 -> need[t] = need[t] | (1 << (st[i] - 1)) \
    :: else \
    fi \
  }; \
  printf("operation %d sends attempt %d at (%d,%d): state %d on %d, tombstone %d\n", \
    o, t, ROUND(bal[t]), bal[t] % 3, st[t], par[t], tomb[t])

#define REPLY(o, n) (o == 1 -> reply1[n] : reply2[n])
#define ANSWERED(o) ((REPLY(o, 0) != NO_REPLY) + (REPLY(o, 1) != NO_REPLY) + (REPLY(o, 2) != NO_REPLY))
#define FORGET_REPLIES \
  if \
  :: o == 1 -> reply1[0] = NO_REPLY; reply1[1] = NO_REPLY; reply1[2] = NO_REPLY \
  :: else   -> reply2[0] = NO_REPLY; reply2[1] = NO_REPLY; reply2[2] = NO_REPLY \
  fi; \
  normalize()

/* 4.4 steps 2 and 3. */
inline recover(o) {
  k = 0; base = 0;
  for (i : 0 .. 2) {
    if
    :: REPLY(o, i) != NO_REPLY && bal[REPLY(o, i)] > k -> k = bal[REPLY(o, i)]; base = st[REPLY(o, i)]
    :: else
    fi
  }
  if
  :: k != 0 && IS_FAST(k) ->
     best = 0;
     for (j : 0 .. SLOTS) {
       tally = 0;
       for (i : 0 .. 2) {
         if
         :: REPLY(o, i) != NO_REPLY && bal[REPLY(o, i)] == k && st[REPLY(o, i)] == j -> tally++
         :: else
         fi
       }
       if
       :: tally > best -> best = tally; base = j
       :: else
       fi
     }
  :: else
  fi;
  happened = false; x = base;
  do
  :: x != 0 ->
     if
     :: x == FIRST_OF(o) || x == FIRST_OF(o) + 1 -> happened = true
     :: else
     fi;
     x = par[x]
  :: else -> break
  od;
  x = 0
}

#define READ(a, b) :: KNOWN(a, b) -> z = HIGHEST(a, b)
/*
 * 1 + the highest round seen: the highest promise of those nodes that it has heard of is the promise of one
 * of them.
 */
#define SEEN(n) :: ROUND(prom[n]) < MAX_ROUND -> z = ROUND(prom[n]) + 1
#define DEATH :: atomic { DIES(o) -> goto dead }

proctype Operation(byte o) {
  byte t;

#ifdef ONE_CONNECTOR
  o == 1 || finished1;
#endif
  t = FIRST_OF(o);
  atomic {
    if
    :: z = 0                                       /* assume that the key is fresh */
    READ(0, 1) READ(0, 2) READ(1, 2)
    :: z = NO_VIEW
    fi;
    d_step {
      view[o] = z; z = 0;
#ifdef VIEW_OUTLIVES_GRACE
      if
      :: view[o] == NO_VIEW -> alive = alive | (1 << o)
      :: else
      fi
#else
      alive = alive | (1 << o)
#endif
    }
  };
  if
  :: atomic {                                      /* 4.3 */
       view[o] != NO_VIEW && ROUND(bal[view[o]]) < MAX_ROUND ->
       alive = alive | (1 << o);
       if
       :: true                                     /* create, or update */
       :: LIVE(st[view[o]]) -> tomb[t] = 1
       fi;
       d_step { SEND(BALLOT(ROUND(bal[view[o]]) + 1, 0), t, st[view[o]]) }
     };
     if
     :: t < LAST_OF(o) -> t++
     :: else -> goto silent
     fi
  :: atomic { alive = alive | (1 << o) }           /* straight to 4.4 */
  DEATH
  fi;

  if
  :: atomic {
       if
       SEEN(0) SEEN(1) SEEN(2)
       fi;
       d_step { preparing[o] = BALLOT(z, PROPOSER(o)); z = 0 }
     }
  DEATH
  fi;

  if
  :: atomic {
       ANSWERED(o) >= 2 ->
       d_step { recover(o) };
       if
       :: z = base                                 /* it happened; or refused; or the identity command */
       :: !happened -> z = t                       /* create or update */
       :: !happened && LIVE(base) -> z = t; tomb[t] = 1
       fi;
       d_step {
         SEND(preparing[o], z, base);
         preparing[o] = 0; z = 0; base = 0; happened = 0;
         FORGET_REPLIES
       }
     }
  DEATH
  fi;

silent:
  DIES(o);
dead:
  atomic {
    finished1 = finished1 || o == 1; alive = alive & ~(1 << o); preparing[o] = 0; view[o] = NO_VIEW; t = 0;
    printf("operation %d is dead\n", o);
    d_step { FORGET_REPLIES }
  }
}

/* ---- jobs ---- */
#ifdef STUB_ON_QUORUM_REPORT
#define REPORTS_TOMBSTONE (TWO(0, 1) || TWO(0, 2) || TWO(1, 2))
#define TWO(a, b) (vt[a] == vt[b] && IS_CHOSEN_TOMBSTONE(vt[a]))
#define REPORTED ((vt[0] == vt[1] || vt[0] == vt[2]) -> vt[0] : vt[1])
#else
#define REPORTS_TOMBSTONE (vt[0] == vt[1] && vt[1] == vt[2] && IS_CHOSEN_TOMBSTONE(vt[0]))
#define REPORTED vt[0]
#endif
#define IS_CHOSEN_TOMBSTONE(t) (CHOSEN(t) && REMOVABLE(st[t]))

proctype StubJob(byte job) {
  atomic {
    REPORTS_TOMBSTONE -> job_ballot[job] = bal[REPORTED]; job_state[job] = st[REPORTED];
    old[job] = (GRACE_BEFORE_STUB -> alive : 0);
    printf("job %d: the tombstone is reported\n", job)
  };
  atomic {
    (old[job] & alive) == 0 &&
      (!SECOND_REPORT || (REPORTS_TOMBSTONE && bal[REPORTED] == job_ballot[job] && st[REPORTED] == job_state[job])) ->
    old[job] = 0; alive = alive | (1 << (3 + job)); sent[job] = 1;
    printf("job %d: the grace time is over, stub(%d,%d)\n", job, ROUND(job_ballot[job]), job_ballot[job] % 3)
  }
}

/* A node without a record counts like one with a stub: a drop may have reached only some of the nodes. */
#define NO_RECORD_OR_STUB(n) (IS_STUB(n) || !HAS_RECORD(n))
#ifdef DROP_ON_QUORUM_REPORT
#define REPORTS_STUBS (NO_RECORD_OR_STUB(0) + NO_RECORD_OR_STUB(1) + NO_RECORD_OR_STUB(2) >= 2)
#else
#define REPORTS_STUBS (NO_RECORD_OR_STUB(0) && NO_RECORD_OR_STUB(1) && NO_RECORD_OR_STUB(2))
#endif
#define SOME_RECORD (HAS_RECORD(0) || HAS_RECORD(1) || HAS_RECORD(2))
#define SAME_PROMISE(n, promises) (promises[n] == 0 || (NO_RECORD_OR_STUB(n) && prom[n] == promises[n]))
#define DROP_JOB(job, promises) \
  atomic { \
    REPORTS_STUBS && SOME_RECORD -> \
    d_step { \
      promises[0] = (NO_RECORD_OR_STUB(0) -> prom[0] : 0); promises[1] = (NO_RECORD_OR_STUB(1) -> prom[1] : 0); \
      promises[2] = (NO_RECORD_OR_STUB(2) -> prom[2] : 0); \
      old[job] = (GRACE_BEFORE_DROP -> alive : 0); normalize() \
    }; \
    printf("job %d: the stubs are reported\n", job) \
  }; \
  atomic { \
    (old[job] & alive) == 0 && (!SECOND_REPORT || \
      (REPORTS_STUBS && SAME_PROMISE(0, promises) && SAME_PROMISE(1, promises) && SAME_PROMISE(2, promises))) -> \
    old[job] = 0; alive = alive | (1 << (3 + job)); sent[job] = 1; \
    printf("job %d: the grace time is over, drop\n", job) \
  }

active proctype DropJob() { DROP_JOB(1, reported) }
#ifdef SECOND_DROP
active proctype SecondDropJob() { DROP_JOB(3, reported2) }
#endif

init {
  atomic {
    bal[1] = BALLOT(1, 0); st[1] = 1; past[1] = 1;
    st[2] = 2; par[2] = 1; past[2] = 3; need[2] = 1; tomb[2] = 1;
    if
    :: bal[2] = BALLOT(2, 0);
       vt[0] = 2; vt[1] = 2; vt[2] = 2; votes[0] = 3; votes[1] = 3; votes[2] = 3;
       prom[0] = BALLOT(3, 0); prom[1] = BALLOT(3, 0); prom[2] = BALLOT(3, 0)
    :: bal[2] = BALLOT(2, 1);
       if
       :: led_tombstone = 0
       :: led_tombstone = 1
       fi;
       vt[0] = 1; vt[1] = 2; vt[2] = 2; votes[0] = 1; votes[1] = 3; votes[2] = 3;
       prom[0] = BALLOT(2, 0); prom[1] = NEXT(2); prom[2] = NEXT(2)
    fi;
    run Operation(1);
#ifndef ONE_OPERATION
    run Operation(2);
#endif
    run StubJob(0);
#ifdef SECOND_STUB
    run StubJob(2)
#endif
  }
}
