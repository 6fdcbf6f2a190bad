/*
 * The exactly-once rule (docs/protocol.md 4.3 to 4.5) on one register: 3 nodes, 2 connectors, 3 operations.
 *
 * Connector 1 runs operation 0; connector 2 runs operation 1 and then operation 2. Each operation may write
 * fast (4.3), skip prepare on a led key (4.4 step 5), and retry with classic rounds (4.4), which recover the
 * base and ask the lineage whether the operation has happened already (4.5). Whether a command is refused on
 * a state is left open: every run of a command may go either way, so the proof holds for every command.
 *
 * Messages are a set that only grows. Each attempt is one accept message; any node may receive it at any time
 * after it was sent, or never. So loss, delay, reordering and duplication need no queue. Only for a refusal
 * does it matter whether an accept can arrive twice: see the rule to forget an attempt (4.5) below. README.md
 * gives the abstractions.
 *
 * Each macro of the section "rules" breaks one rule on purpose.
 */

/* ---- bounds ---- */
#ifndef L
#define L 2                  /* lineage length; the protocol has 16 */
#endif
#ifndef MAX_ROUND
#define MAX_ROUND 4          /* highest round that a connector prepares or writes at */
#endif
/*
 * Attempts of operation 0, 1 and 2 are the slots 1..LAST0, LAST0+1..LAST1, LAST1+1..LAST2; slot 0 is absent.
 */
#ifndef LAST0
#define LAST0 3
#endif
#ifndef LAST1
#define LAST1 5
#endif
#ifndef LAST2
#define LAST2 7
#endif
/* With LAST2 equal to LAST1 there is no operation 2. */
#if LAST2 > 7
#error "votes[] has one bit for each of at most 7 attempts"
#endif
#define FIRST_OF(o) ((o) == 0 -> 1 : ((o) == 1 -> LAST0 + 1 : LAST1 + 1))
#define LAST_OF(o)  ((o) == 0 -> LAST0 : ((o) == 1 -> LAST1 : LAST2))
#define OWNER(o)    ((o) == 0 -> 1 : 2)

/* ---- rules ---- */
#ifdef FAST_QUORUM_TOO_SMALL
#define FAST_QUORUM 2
#else
#define FAST_QUORUM 3
#endif
#ifdef CLASSIC_QUORUM_TOO_SMALL
#define CLASSIC_QUORUM 1
#else
#define CLASSIC_QUORUM 2
#endif
#ifdef ACCEPT_IGNORES_PROMISE
#define PROMISE_ALLOWS(n, t) true
#else
#define PROMISE_ALLOWS(n, t) (bal[t] >= prom[n])
#endif
#ifdef NO_WINDOW
#define WITHIN_WINDOW(generation) true
#else
#ifdef WINDOW_OFF_BY_ONE
#define WITHIN_WINDOW(generation) ((generation) - since <= L)
#else
#define WITHIN_WINDOW(generation) ((generation) - since < L)
#endif
#endif

/*
 * Whether the connector knows that node n has not voted for accept t, and never will (4.5). The node has
 * refused it, or it was never sent: a refusal is final, and the node cannot have voted for the accept before,
 * because an accept is delivered at most once. */
#ifdef ACCEPT_DELIVERED_TWICE
#define HAS_NO_VOTE(n, t) (!VOTED(n, t) || REFUSES(n, t))
#else
#define HAS_NO_VOTE(n, t) (!VOTED(n, t))
#endif
#ifdef FORGET_ON_QUORUM
#define REFUSED(n, t) (!VOTED(n, t) && REFUSES(n, t))
#define IS_VOID(t) (REFUSED(0, t) + REFUSED(1, t) + REFUSED(2, t) >= 2)
#define ARRIVES_NOWHERE(t) false
#else
#define IS_VOID(t) (HAS_NO_VOTE(0, t) && HAS_NO_VOTE(1, t) && HAS_NO_VOTE(2, t))
#define ARRIVES_NOWHERE(t) is_void[t]
#endif
/* The accept of a base that is proposed again is not the first one to carry that state. */
#ifdef FORGET_REPROPOSED
#define MAY_FORGET(o, t) (st[t] >= FIRST_OF(o) && st[t] <= LAST_OF(o))
#else
#define MAY_FORGET(o, t) (st[t] == t)
#endif

/*
 * ---- ballots: (round, proposerId) as 3 * round + proposerId; proposerId 0 is the fast ballot; 0 is no
 * ballot ----
 */
#define BALLOT(round, proposer) (3 * (round) + (proposer))
#define ROUND(b)   ((b) / 3)
#define IS_FAST(b) ((b) % 3 == 0)
#define QUORUM(b)  (IS_FAST(b) -> FAST_QUORUM : CLASSIC_QUORUM)

/* ---- attempts: the accept messages, and the states that they propose ---- */
byte bal[8];    /* ballot of the accept; 0 as long as it was not sent */
byte st[8];     /* proposed state, named by the slot that made it: t itself, or the base when it is re-proposed */
byte par[8];    /* parent of the state t */
bit  led[8];    /* `next` of the accept is (round + 1, proposerId) instead of (round + 1, 0) */
bit  is_void[8];    /* every node refused the accept, or was never sent it: it cannot arrive any more */
bit  forgotten[8];  /* the operation does not count the state t among its attempts any more */
#define NEXT(t) BALLOT(ROUND(bal[t]) + 1, (led[t] -> bal[t] % 3 : 0))

/* ---- nodes; everything about node n is at index n, so that nodes can be sorted (see normalize) ---- */
byte prom[3] = BALLOT(1, 0);
byte vt[3];         /* attempt whose ballot and state the node has accepted or learned; 0 is none */
byte votes[3];      /* bit t-1: the node has accepted attempt t, at any time (for "chosen") */
#define NO_REPLY 15
byte reply0[3] = NO_REPLY;  /* what the node answered to the prepare of operation 0, 1, 2: its vt then */
byte reply1[3] = NO_REPLY;
byte reply2[3] = NO_REPLY;
byte preparing[3];  /* ballot that operation o is preparing; 0 is none */

#define VOTED(n, t) ((votes[n] >> ((t) - 1)) & 1)
#define COUNT(t)    (VOTED(0, t) + VOTED(1, t) + VOTED(2, t))
#define CHOSEN(t)   (bal[t] != 0 && COUNT(t) >= QUORUM(bal[t]))

/* ---- answers to the clients ---- */
#define SUCCESS 1
#define NEVER   2           /* refused or not_applied. No answer, and `unknown`, are 0: they claim nothing. */
byte answer[3];
byte highest_round[3];      /* by connector: highest round it has used, so that no ballot is used twice */
bit  has_sent[3];           /* an accept that carried operation o was sent, and is not forgotten */
bit  finished1;             /* operation 1 is over, so connector 2 may start operation 2 */

/* ---- temporaries ----
 * Those that carry a value past a choice are part of the state, and are 0 again when their atomic step ends;
 * the others are used inside one d_step and are not part of the state. */
byte z, q, base;
bit  happened, covered, refusable;
hidden byte i, j, x, y, k, generation, since, tally, best;
hidden byte chain;          /* bit t-1: state t is chosen, or a chosen state descends from it */
hidden byte ancestors[8];   /* bit t-1 of ancestors[s]: s is t or descends from it */

/*
 * Nodes are interchangeable: no rule looks at their numbers. Sorting them leaves one of up to six equal
 * states. UNSORTED keeps the numbers, so that people can read traces. */
#define BEFORE(a, b) (prom[a] < prom[b] || (prom[a] == prom[b] && (vt[a] < vt[b] || (vt[a] == vt[b] && \
  (votes[a] < votes[b] || (votes[a] == votes[b] && (reply0[a] < reply0[b] || (reply0[a] == reply0[b] && \
  (reply1[a] < reply1[b] || (reply1[a] == reply1[b] && reply2[a] < reply2[b]))))))))))
#define SWAP(array, a, b) x = array[a]; array[a] = array[b]; array[b] = x
inline order(a, b) {
  if
  :: BEFORE(b, a) ->
     SWAP(prom, a, b); SWAP(vt, a, b); SWAP(votes, a, b);
     SWAP(reply0, a, b); SWAP(reply1, a, b); SWAP(reply2, a, b)
  :: else
  fi
}
inline normalize() {
#ifndef UNSORTED
  order(0, 1); order(1, 2); order(0, 1);
#endif
  x = 0
}

/* The invariants, looked at whenever something may have become chosen or an answer was given. */
inline check() {
  chain = 0;
  for (i : 1 .. LAST2) {
    ancestors[i] = 0; x = i;
    do
    :: x != 0 && bal[i] != 0 && st[i] == i -> ancestors[i] = ancestors[i] | (1 << (x - 1)); x = par[x]
    :: else -> break
    od
  }
  for (i : 1 .. LAST2) {
    if
    :: CHOSEN(i) && st[i] != 0 -> chain = chain | ancestors[st[i]]
    :: else
    fi
  }
  for (i : 1 .. LAST2) {
    for (j : 1 .. LAST2) {
      if
      :: i != j && CHOSEN(i) && CHOSEN(j) && bal[i] <= bal[j] ->
         /* At most one state chosen per ballot. */
         assert(bal[i] < bal[j] || st[i] == st[j]);
         /* One chain: what is chosen later descends from what was chosen before. */
         assert(st[i] == 0 || (st[j] != 0 && ((ancestors[st[j]] >> (st[i] - 1)) & 1)))
      :: else
      fi
    }
  }
  for (i : 0 .. 2) {
    tally = 0;
    for (j : FIRST_OF(i) .. LAST_OF(i)) { tally = tally + ((chain >> (j - 1)) & 1) }
    assert(tally <= 1);                             /* no operation happens twice, whatever its answer */
    assert(answer[i] != SUCCESS || tally == 1);     /* success: happened */
    assert(answer[i] != NEVER || tally == 0)        /* refused, not_applied: never happened, never will */
  };
  i = 0
}

/* ---- the nodes (section 3), with the network: a message may arrive at any time after it was sent ---- */
#define TAKES(n, t) (PROMISE_ALLOWS(n, t) && bal[t] > bal[vt[n]])
#define REFUSES(n, t) (!TAKES(n, t) && (bal[t] != bal[vt[n]] || st[t] != st[vt[n]]))
#define CAN_ACCEPT(n, t) (bal[t] != 0 && !ARRIVES_NOWHERE(t) && TAKES(n, t))
#define ACCEPT(n, t) :: atomic { CAN_ACCEPT(n, t) -> d_step { \
    vt[n] = t; votes[n] = votes[n] | (1 << (t - 1)); \
    prom[n] = (NEXT(t) > prom[n] -> NEXT(t) : prom[n]); \
    printf("node %d accepts attempt %d at (%d,%d), state %d\n", n, t, ROUND(bal[t]), bal[t] % 3, st[t]); \
    if :: CHOSEN(t) -> check() :: else fi; normalize() } }
/* A learn may come as soon as the state is chosen; the promise never stops it. */
#define LEARN(n, t) :: atomic { CHOSEN(t) && bal[t] > bal[vt[n]] -> d_step { \
    vt[n] = t; prom[n] = (NEXT(t) > prom[n] -> NEXT(t) : prom[n]); \
    printf("node %d learns attempt %d at (%d,%d), state %d\n", n, t, ROUND(bal[t]), bal[t] % 3, st[t]); normalize() } }
/* A prepare whose answer is lost only raises a promise, which allows nothing new: it is left out. */
#define PREPARE(n, o, replies) :: atomic { preparing[o] >= prom[n] && replies[n] == NO_REPLY -> d_step { \
    prom[n] = preparing[o]; replies[n] = vt[n]; \
    printf("node %d promises (%d,%d) to operation %d, has accepted attempt %d\n", \
      n, ROUND(preparing[o]), preparing[o] % 3, o, vt[n]); normalize() } }
#define EACH_ATTEMPT(RULE, n) RULE(n, 1) RULE(n, 2) RULE(n, 3) RULE(n, 4) RULE(n, 5) RULE(n, 6) RULE(n, 7)
active proctype Nodes() {
end:
  do
  EACH_ATTEMPT(ACCEPT, 0) EACH_ATTEMPT(ACCEPT, 1) EACH_ATTEMPT(ACCEPT, 2)
#ifndef WITHOUT_LEARN
  EACH_ATTEMPT(LEARN, 0) EACH_ATTEMPT(LEARN, 1) EACH_ATTEMPT(LEARN, 2)
#endif
  PREPARE(0, 0, reply0) PREPARE(1, 0, reply0) PREPARE(2, 0, reply0)
  PREPARE(0, 1, reply1) PREPARE(1, 1, reply1) PREPARE(2, 1, reply1)
  PREPARE(0, 2, reply2) PREPARE(1, 2, reply2) PREPARE(2, 2, reply2)
  od
}

/* ---- connectors ---- */

/* Sends accept(ballot, state, next) as attempt t. */
#define SEND(ballot, state, parent, is_led) \
  bal[t] = ballot; st[t] = state; par[t] = parent; led[t] = is_led; \
  has_sent[o] = has_sent[o] || st[t] == t; \
  highest_round[OWNER(o)] = (ROUND(bal[t]) > highest_round[OWNER(o)] -> ROUND(bal[t]) : highest_round[OWNER(o)]); \
  printf("operation %d sends attempt %d at (%d,%d): state %d on %d, led %d\n", \
    o, t, ROUND(bal[t]), bal[t] % 3, st[t], par[t], led[t])

#define REPLY(o, n) (o == 0 -> reply0[n] : (o == 1 -> reply1[n] : reply2[n]))
#define ANSWERED(o) ((REPLY(o, 0) != NO_REPLY) + (REPLY(o, 1) != NO_REPLY) + (REPLY(o, 2) != NO_REPLY))

/* 4.4 step 2: the base, from the answers to the prepare. */
inline recover(o) {
  k = 0; base = 0; q = ANSWERED(o);
  for (i : 0 .. 2) {
    if
    :: REPLY(o, i) != NO_REPLY && bal[REPLY(o, i)] > k -> k = bal[REPLY(o, i)]; base = st[REPLY(o, i)]
    :: else
    fi
  }
  if
  :: k != 0 && IS_FAST(k) ->
     best = 0;
     for (j : 0 .. LAST2) {             /* in the order of the writeIds, so that a tie goes to the smallest */
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
     /* With 3 nodes the state with enough votes (fast quorum + |Q| - N) is always the one with the most. */
     assert(FAST_QUORUM != 3 || best <= q)
  :: else
  fi
}

/*
 * 4.5: has operation o happened in the history of `base`, and does the lineage cover every attempt that could
 * have happened?
 */
inline judge(o) {
  since = 255; happened = false; generation = 0;
  /* A command is a pure function: it is not refused on a state on which it was carried out before. */
  refusable = true;
  x = base;
  do
  :: x != 0 ->
#ifndef NO_LINEAGE_CHECK
     if
     :: generation < L && x >= FIRST_OF(o) && x <= LAST_OF(o) && !forgotten[x] -> happened = true
     :: else
     fi;
#endif
     generation++; x = par[x]
  :: else -> break
  od;
  for (i : FIRST_OF(o) .. LAST_OF(o)) {
    if
    :: bal[i] != 0 && st[i] == i -> refusable = refusable && par[i] != base
    :: else
    fi;
    if
    :: bal[i] != 0 && st[i] == i && !forgotten[i] ->
       x = i; y = 0;
       do
       :: x != 0 -> y++; x = par[x]
       :: else -> break
       od;
#ifdef SINCE_LATEST
       since = y
#else
       since = (y < since -> y : since)
#endif
    :: else
    fi
  }
  covered = (!has_sent[o] || generation < since || WITHIN_WINDOW(generation))
}

/* 4.5: the operation forgets an attempt for which no node has voted and none will. */
inline forget(o, attempt) {
  is_void[attempt] = 1; forgotten[st[attempt]] = 1; has_sent[o] = 0;
  for (i : FIRST_OF(o) .. LAST_OF(o)) { has_sent[o] = has_sent[o] || (bal[i] != 0 && st[i] == i && !forgotten[i]) };
  i = 0;
  printf("operation %d forgets state %d, attempt %d: every node refused it or was never sent it\n", o, st[attempt], attempt)
}
#define FORGET(v, here) :: atomic { \
    v <= t && v >= FIRST_OF(o) && bal[v] != 0 && !is_void[v] && MAY_FORGET(o, v) && IS_VOID(v) -> \
    d_step { forget(o, v) }; goto here }
#define FORGET_ANY(here) FORGET(1, here) FORGET(2, here) FORGET(3, here) FORGET(4, here) FORGET(5, here) \
  FORGET(6, here) FORGET(7, here)
/*
 * The time of operation 0 is over and it has sent nothing, or has forgotten all that it sent. Operations 1
 * and 2 have no such step: it would show nothing more. */
#ifdef NOT_APPLIED_AFTER_SENT
#define HAS_NOT_SENT (o == 0)
#else
#define HAS_NOT_SENT (o == 0 && !has_sent[o])
#endif
#define NOT_APPLIED :: atomic { HAS_NOT_SENT -> \
    answer[o] = NEVER; printf("operation %d is answered not_applied\n", o); \
    d_step { preparing[o] = 0; check() }; \
    goto over }

/*
 * The views a fast write may rest on: absent, or anything chosen at any time before (a cache may be stale).
 */
#define VIEW(v) :: CHOSEN(v) && ROUND(bal[v]) < MAX_ROUND -> z = v
/* What refusals can show: another write's state, chosen at the ballot tried or above. */
#define EXPLAINED_BY(v) :: CHOSEN(v) && bal[v] >= bal[t] && st[v] != t -> z = v
/* What a plain read of two nodes can show: the highest accepted of the two, if it is chosen. */
#define READ_BY(a, b) :: CHOSEN(vt[a]) && bal[vt[a]] >= bal[vt[b]] -> z = vt[a]
/* A key led since attempt v: it is prepared at NEXT(v) for this connector alone. */
#define LED(v) :: atomic { \
    o == 2 && led[v] && CHOSEN(v) && ROUND(bal[v]) < MAX_ROUND && ROUND(bal[v]) >= highest_round[2] -> \
    d_step { SEND(NEXT(v), t, st[v], 0) } }; goto sent_first

/*
 * Answers "refused" if 4.5 says that the operation has not happened in the history of the state of attempt z.
 */
#ifdef REFUSAL_WITHOUT_HISTORY
#define NOT_HAPPENED refusable
#else
#define NOT_HAPPENED (!happened && covered && refusable)
#endif
#define REFUSE_ON_Z \
  base = st[z]; z = 0; judge(o); \
  if \
  :: NOT_HAPPENED -> answer[o] = NEVER; printf("operation %d is answered refused\n", o) \
  :: else \
  fi; \
  base = 0; happened = 0; covered = 0; refusable = 0; check()

#define FORGETFUL(n) :: o == 2 && ROUND(prom[n]) < MAX_ROUND -> z = ROUND(prom[n]) + 1

proctype Operation(byte o) {
  byte t;         /* current attempt */
  byte outcome;   /* what to answer when the classic round is chosen: SUCCESS, NEVER, or 0 for unknown */

  atomic { o != 2 || finished1 -> t = FIRST_OF(o) };
  if
  :: skip                                          /* fast quorum not reachable, or no view: straight to 4.4 */
  :: atomic {                                      /* 4.3 */
       if
       :: z = 0
       VIEW(1) VIEW(2) VIEW(3) VIEW(4) VIEW(5) VIEW(6) VIEW(7)
       fi;
       d_step { SEND(BALLOT(ROUND(bal[z]) + 1, 0), t, st[z], 0); z = 0 }
     };
     goto sent_first
  LED(LAST0 + 1)                                   /* a led key: 4.4 step 5 */
#if LAST1 > LAST0 + 1
  LED(LAST1)
#endif
  fi;

classic:
  atomic {
    if                                             /* refusals may have told of any round */
    :: highest_round[OWNER(o)] + 1 <= MAX_ROUND && highest_round[OWNER(o)] > 0 -> z = highest_round[OWNER(o)] + 1
    :: highest_round[OWNER(o)] + 2 <= MAX_ROUND -> z = highest_round[OWNER(o)] + 2
    :: highest_round[OWNER(o)] + 3 <= MAX_ROUND -> z = highest_round[OWNER(o)] + 3
#ifdef BALLOT_USED_TWICE
    /*
     * 1 + the highest round that the nodes show now, whatever the connector itself has used on this key
     * before.
     */
    FORGETFUL(0) FORGETFUL(1) FORGETFUL(2)
#endif
    fi;
    d_step {
      preparing[o] = BALLOT(z, OWNER(o));
      highest_round[OWNER(o)] = (z > highest_round[OWNER(o)] -> z : highest_round[OWNER(o)]);
      z = 0
    }
  };

prepared:
  if
  :: atomic {
       ANSWERED(o) >= CLASSIC_QUORUM ->
       d_step { recover(o); judge(o) };
       if
       :: happened -> outcome = SUCCESS; z = base                     /* it happened: the base unchanged */
       :: !happened && covered -> outcome = SUCCESS; z = t            /* run the command (again) ... */
       :: !happened && covered && refusable -> outcome = NEVER; z = base           /* ... and it is refused */
       :: !happened && !covered -> outcome = 0; z = base              /* unknown */
       fi;
       if
       :: q = 0
       :: o == 1 -> q = 1                                             /* keep the key led */
       fi;
       d_step {
         SEND(preparing[o], z, (z == t -> base : 0), q);
         preparing[o] = 0; z = 0; q = 0; base = 0; happened = 0; covered = 0; refusable = 0;
         if
         :: o == 0 -> reply0[0] = NO_REPLY; reply0[1] = NO_REPLY; reply0[2] = NO_REPLY
         :: o == 1 -> reply1[0] = NO_REPLY; reply1[1] = NO_REPLY; reply1[2] = NO_REPLY
         :: o == 2 -> reply2[0] = NO_REPLY; reply2[1] = NO_REPLY; reply2[2] = NO_REPLY
         fi;
         normalize()
       }
     }
  FORGET_ANY(prepared)
  NOT_APPLIED
  fi;

sent_classic:
  if
  :: atomic {                                      /* 4.4 step 6 */
       COUNT(t) >= CLASSIC_QUORUM -> answer[o] = outcome;
       printf("operation %d is answered %d\n", o, answer[o]);
       d_step { check() };
       goto over
     }
#ifdef ANSWER_FROM_READ
  :: atomic {
       if
       READ_BY(0, 1) READ_BY(1, 0) READ_BY(0, 2) READ_BY(2, 0) READ_BY(1, 2) READ_BY(2, 1)
       fi;
       d_step { REFUSE_ON_Z };
       answer[o] == NEVER -> goto over
     }
#endif
  FORGET_ANY(sent_classic)
  NOT_APPLIED
  :: atomic { t < LAST_OF(o) -> t++; goto classic }  /* refused, or the answers are lost */
  :: atomic { o == 1 && t == LAST_OF(o) -> goto over }  /* time is over: unknown */
  fi;

sent_first:
  if
  :: atomic {                                      /* 4.3 step 3 */
       CHOSEN(t) -> answer[o] = SUCCESS;
       printf("operation %d is answered success\n", o);
       d_step { check() }
     }
  :: atomic {                                      /* 4.3 step 4: refused, and the refusals show why */
       if
       EXPLAINED_BY(1) EXPLAINED_BY(2) EXPLAINED_BY(3) EXPLAINED_BY(4) EXPLAINED_BY(5) EXPLAINED_BY(6) EXPLAINED_BY(7)
       fi;
       d_step { REFUSE_ON_Z };
       if
       :: answer[o] == 0 -> goto sent_first
       :: else
       fi
     }
  FORGET_ANY(sent_first)
  NOT_APPLIED
  :: atomic { t < LAST_OF(o) -> t++; goto classic }  /* whether it happened is open from here on */
  :: atomic { o == 1 && t == LAST_OF(o) -> goto over }  /* time is over: unknown */
  fi;

over:
  atomic { t = 0; outcome = 0;
    if
    :: o == 1 -> finished1 = 1
    :: else
    fi
  }
}

init {
  atomic {
    run Operation(0); run Operation(1);
#if LAST2 > LAST1
    run Operation(2)
#endif
  }
}
