/**
 * The history of one register as an observer sees it: every state that was proposed, every vote, and the
 * states that were chosen by these votes. It shares no arithmetic with the core, and decides by itself what
 * "chosen" means.
 *
 * A removal begins a new *life* of the register: its ballots start again, and its absent state follows the
 * tombstone that was removed. So the states of all lives must form one chain.
 */
import { Violation } from './violation.ts'

/** The parts of a ballot, a writeId and a state that the ledger looks at. */
type BallotLike = Readonly<{ round: number; proposerId: number }>
type WriteIdLike = Readonly<{ proposerId: number; sequence: number }>
type StateLike = Readonly<{
  generation: number
  writeId: WriteIdLike
  lineage: readonly WriteIdLike[]
  value: Uint8Array | undefined
}>

/** A proposed state; or, with generation 0, the absence from which a life begins. */
type Write = Readonly<{
  name: string
  generation: number
  /** The number of removals before it. */
  life: number
  /** The number of writes before it in the chain, over all lives. */
  depth: number
  value: Uint8Array | undefined
  /**
   * The state that it was made from, or the tombstone whose removal it follows; `undefined` for the absent
   * state of the first life.
   */
  parent: Write | undefined
  /** The operations whose changes it carries. */
  operations: readonly number[]
}>

/** `writer`: the proposerId in the state's writeId. */
type Candidate = { readonly write: Write; readonly writer: number; voters: number; isChosen: boolean }
type Poll = { readonly ballot: BallotLike; readonly candidates: Candidate[] }

const ABSENT: Write = {
  name: 'absent',
  generation: 0,
  life: 0,
  depth: 0,
  value: undefined,
  parent: undefined,
  operations: [],
}

/**
 * Ids that simulated processes draw are small, so a pair of them is one exact number that sorts like the
 * pair.
 */
const ID_LIMIT = 2 ** 24
/** More than the ballots of one life. */
const LIFE_SPAN = 2 ** 44

/**
 * Whether nodes (bit i: node i) that have accepted a state at a ballot have chosen it. `writer` is the
 * proposerId in the state's writeId: where each ballot belongs to one epoch, `writer` tells the epoch of a
 * fast ballot.
 */
export type Electorate = (voters: number, ballot: BallotLike, writer: number) => boolean

export class Ledger {
  readonly #isEnough: Electorate
  readonly #writes = new Map<number, Write>()
  readonly #polls = new Map<number, Poll>()
  /** By life and ballot, lowest first. */
  readonly #chosen: { ballot: number; write: Write }[] = []
  /** The state for which an empty register stands now. */
  #absent = ABSENT

  /**
   * @param electorate the number of members of the cluster, or, if the members change, the function that
   *   decides
   */
  constructor(electorate: number | Electorate) {
    this.#isEnough = typeof electorate === 'number' ? electorateOf(electorate) : electorate
  }

  /**
   * A connector sends an accept. `operations`: the operations that it has just run, if the state is a new
   * one.
   */
  proposed(ballot: BallotLike, state: StateLike, operations: readonly number[]): void {
    const write = this.#writeOf(state, operations)
    if (write.generation !== state.generation || !sameBytes(write.value, state.value)) {
      throw new Violation('a writeId names one state', `${write.name} was proposed with two contents`)
    }
    const poll = this.#pollOf(ballot)
    if (ballot.proposerId === 0) return
    const other = poll.candidates.find((candidate) => !isOf(candidate, state, write))
    if (other !== undefined) {
      throw new Violation(
        'a classic ballot has one state',
        `${nameOf(ballot)} carries ${other.write.name} and ${write.name}`,
      )
    }
    if (poll.candidates.length === 0) poll.candidates.push(aCandidate(write, state))
  }

  /** A node has accepted a state, and would remember it after a crash. */
  voted(node: number, ballot: BallotLike, state: StateLike): void {
    const poll = this.#pollOf(ballot)
    const write = this.#writes.get(writeKey(state.writeId))
    let candidate = poll.candidates.find((known) => isOf(known, state, write))
    if (candidate === undefined) {
      if (write === undefined) throw new Violation('votes are for proposals', `node ${node} made up a state`)
      candidate = aCandidate(write, state)
      poll.candidates.push(candidate)
    }
    if ((candidate.voters & (1 << node)) !== 0) return
    candidate.voters |= 1 << node
    this.#judge(poll, candidate)
  }

  /** The quorums have changed, so a state that was accepted before may now be chosen. */
  reconsider(): void {
    for (const poll of this.#polls.values()) {
      for (const candidate of poll.candidates) this.#judge(poll, candidate)
    }
  }

  #judge(poll: Poll, candidate: Candidate): void {
    const { voters, writer, isChosen } = candidate
    if (!isChosen && this.#isEnough(voters, poll.ballot, writer)) this.#choose(poll, candidate)
  }

  /**
   * A node has turned a tombstone, or an accepted absence, into a stub: the removal of that state has begun.
   */
  removed(ballot: BallotLike, state: StateLike): void {
    const write = this.#writes.get(writeKey(state.writeId))
    const tombstone = this.#pollOf(ballot).candidates.find((known) => isOf(known, state, write))?.write
    if (tombstone === undefined) throw new Violation('votes are for proposals', 'a node removed no proposal')
    if (tombstone.depth < this.#absent.depth) return
    this.#absent = {
      name: `absent after ${tombstone.name}`,
      generation: 0,
      life: tombstone.life + 1,
      depth: tombstone.depth + 1,
      value: undefined,
      parent: tombstone,
      operations: [],
    }
  }

  /** A connector tells a node that a state is chosen. */
  toldChosen(ballot: BallotLike, writeId: WriteIdLike): void {
    const candidates = this.#polls.get(ballotKey(ballot))?.candidates ?? []
    const write = this.#writes.get(writeKey(writeId))
    const isAbsence = writeId.sequence === 0
    if (
      !candidates.some(
        (known) => known.isChosen && (isAbsence ? known.write.generation === 0 : known.write === write),
      )
    ) {
      throw new Violation(
        'only what is chosen is learned',
        `${writeId.proposerId}.${writeId.sequence} is not chosen at ${nameOf(ballot)}`,
      )
    }
  }

  /** The number of chosen states that carry a change of this operation. */
  timesHappened(operation: number): number {
    let count = 0
    for (let write = this.#newest; write !== undefined; write = write.parent) {
      if (write.operations.includes(operation)) count += 1
    }
    return count
  }

  /** The operations that happened, in the order in which their changes follow one another. */
  order(): number[] {
    const order: number[] = []
    for (let write = this.#newest; write !== undefined; write = write.parent)
      order.push(...write.operations.toReversed())
    return order.reverse()
  }

  /** The number of states that were chosen so far, without the absent one. */
  get generation(): number {
    return this.#newest?.generation ?? 0
  }

  /** The number of writes before the newest chosen state, over all lives. */
  get depth(): number {
    return this.#newest?.depth ?? 0
  }

  /** The values of the chosen states, the newest first, down to the one with so many writes before it. */
  *valuesFrom(depth: number): Generator<Uint8Array | undefined> {
    if (this.#newest === undefined) yield undefined
    for (let write = this.#newest; write !== undefined && write.depth >= depth; write = write.parent)
      yield write.value
  }

  /** What the newest chosen state holds. */
  get value(): Uint8Array | undefined {
    return this.#newest?.value
  }

  get #newest(): Write | undefined {
    return this.#chosen[this.#chosen.length - 1]?.write
  }

  #writeOf(state: StateLike, operations: readonly number[]): Write {
    if (state.generation === 0) return this.#absent
    const id = writeKey(state.writeId)
    const known = this.#writes.get(id)
    if (known !== undefined) return known
    const write = this.#newWrite(state, operations)
    this.#writes.set(id, write)
    return write
  }

  #newWrite(state: StateLike, operations: readonly number[]): Write {
    const { proposerId, sequence } = state.writeId
    const name = `${proposerId}.${sequence}@${state.generation}`
    const base = state.lineage[state.lineage.length - 2]
    const parent = base === undefined ? this.#absent : this.#writes.get(writeKey(base))
    if (parent === undefined || parent.generation + 1 !== state.generation) {
      throw new Violation('a state has a parent', `${name} is not the successor of a proposed state`)
    }
    const { generation, value } = state
    return { name, generation, life: parent.life, depth: parent.depth + 1, value, parent, operations }
  }

  #pollOf(ballot: BallotLike): Poll {
    const key = ballotKey(ballot)
    let poll = this.#polls.get(key)
    if (poll === undefined) {
      poll = { ballot, candidates: [] }
      this.#polls.set(key, poll)
    }
    return poll
  }

  #choose(poll: Poll, candidate: Candidate): void {
    const { write } = candidate
    const ballot = write.life * LIFE_SPAN + ballotKey(poll.ballot)
    const other = poll.candidates.find((known) => known.isChosen && known.write.life === write.life)
    if (other !== undefined) {
      throw new Violation(
        'one state per ballot',
        `both ${other.write.name} and ${write.name} are chosen at ${nameOf(poll.ballot)}`,
      )
    }
    candidate.isChosen = true
    const newest = this.#newest
    if (newest !== undefined && newest.life > write.life && newest.generation > 0) {
      throw new Violation(
        'chosen states form one chain',
        `${write.name}, of a life that was removed, is chosen after ${newest.name}`,
      )
    }
    let index = this.#chosen.length
    while (index > 0 && this.#chosen[index - 1]!.ballot > ballot) index -= 1
    const below = this.#chosen[index - 1]?.write
    const above = this.#chosen[index]?.write
    this.#chosen.splice(index, 0, { ballot, write })
    if (below !== undefined) assertDescends(write, below, poll)
    if (above !== undefined) assertDescends(above, write, poll)
  }
}

function aCandidate(write: Write, { writeId }: StateLike): Candidate {
  return { write, writer: writeId.proposerId, voters: 0, isChosen: false }
}

/**
 * The smallest quorums for which any two classic quorums overlap, and any two fast quorums and a classic one
 * do.
 */
function electorateOf(nodeCount: number): Electorate {
  let classic = 1
  while (2 * classic <= nodeCount) classic += 1
  let fast = classic
  while (2 * fast + classic <= 2 * nodeCount) fast += 1
  return (voters, { proposerId }) => bitCount(voters) >= (proposerId === 0 ? fast : classic)
}

function bitCount(set: number): number {
  let count = 0
  for (let rest = set; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2
  return count
}

/**
 * Whether a candidate is the state that was proposed; `write` is what its writeId names. Absence has no
 * writeId.
 */
function isOf(candidate: Candidate, { generation }: StateLike, write: Write | undefined): boolean {
  return generation === 0 ? candidate.write.generation === 0 : candidate.write === write
}

function assertDescends(state: Write, ancestor: Write, { ballot }: Poll): void {
  let write: Write | undefined = state
  while (write !== undefined && write.depth > ancestor.depth) write = write.parent
  if (write !== ancestor) {
    throw new Violation(
      'chosen states form one chain',
      `${state.name} does not descend from ${ancestor.name}, which is chosen below it (seen when ${nameOf(ballot)} was chosen)`,
    )
  }
}

function nameOf({ round, proposerId }: BallotLike): string {
  return `${round}.${proposerId === 0 ? 'fast' : proposerId}`
}

function ballotKey({ round, proposerId }: BallotLike): number {
  return round * ID_LIMIT + proposerId
}

function writeKey({ proposerId, sequence }: WriteIdLike): number {
  return proposerId * ID_LIMIT + sequence
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === b) return true
  if (a === undefined || b === undefined || a.length !== b.length) return false
  return a.every((byte, index) => byte === b[index])
}
