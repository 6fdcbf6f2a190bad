/**
 * A world of a few nodes, writers, and one connector that follows the changes of the nodes, in which messages
 * arrive in any order. It has the real acceptors, proposers, change logs and follower. After each step it
 * checks that what was chosen before the moment up to which everything counts as given out was given out, or
 * something newer was.
 */
import { type Call, type DueRead, Follower } from '../../changes/follower.ts'
import { ChangeLog } from '../../node/change-log.ts'
import { answer, EMPTY_RECORD } from '../../register/acceptor.ts'
import { knownChosen } from '../../register/known-chosen.ts'
import type { KeyRecord, Request } from '../../register/messages.ts'
import type { Operation } from '../../register/operation.ts'
import { type Effect, Proposer } from '../../register/proposer.ts'
import { quorumsOf } from '../../register/quorum.ts'
import { RULES } from '../../register/rules.ts'
import type { ChangesAnswer } from '../../rpc/messages.ts'
import { Chance } from '../chance.ts'
import { Ledger } from '../checkers/ledger.ts'
import { Violation } from '../checkers/violation.ts'
import type { WatchRules } from './watch-rules.ts'

/** No accept arrives later than so many steps after it was sent. */
const VOTES_END = 600

/** One key, so that much happens to it. */
const KEYS = ['group/a']

const WRITERS = 2

type Node = {
  readonly id: string
  readonly records: Map<string, KeyRecord>
  log: ChangeLog
  startCount: number
}

/** Something on its way, which arrives at some step or never. */
type Parcel = Readonly<{ sentAt: number; dueAt: number; deliver: () => void; lose: () => void }>

type Proposing = Readonly<{ key: string; proposer: Proposer<Operation> }>

export type WatchRun = Readonly<{ failure: Error | undefined; givenCount: number; settledCount: number }>

/** Runs the world of a seed. */
export function runWatch(seed: number, rules: WatchRules): WatchRun {
  const world = new WatchWorld(new Chance(seed), rules)
  let failure: Error | undefined
  try {
    world.run()
  } catch (error) {
    failure = error as Error
  }
  return { failure, givenCount: world.givenCount, settledCount: world.settledCount }
}

class WatchWorld {
  givenCount = 0
  settledCount = 0
  readonly #chance: Chance
  readonly #rules: WatchRules
  readonly #n: number
  readonly #nodes: Node[]
  readonly #suspects: boolean[]
  readonly #follower: Follower
  readonly #parcels: Parcel[] = []
  readonly #ledgers = new Map(KEYS.map((key) => [key, new Ledger(0)]))
  /** By key, oldest first: when a state was chosen, and the number of writes before it. */
  readonly #chosen = new Map<string, { at: number; depth: number }[]>()
  /** What was given out last. */
  readonly #given = new Map<string, string | undefined>()
  readonly #writers: Proposing[] = []
  readonly #calling = new Set<string>()
  readonly #steps: number
  readonly #restartRate: number
  readonly #writeRate: number
  /** How often a message other than the oldest one arrives. */
  readonly #disorder: number
  /** By node: how often a call is lost, and how often a message to it is late. */
  readonly #callLossRates: readonly number[]
  readonly #stallRates: readonly number[]
  #now = 0
  #sequence = 0
  #writeCount = 0
  #settledAt = -1

  constructor(chance: Chance, rules: WatchRules) {
    this.#chance = chance
    this.#rules = rules
    this.#n = chance.of([3, 3, 3, 5])
    this.#steps = chance.between(500, 3_000)
    this.#restartRate = chance.of([0, 0.002, 0.01])
    this.#writeRate = chance.of([0.005, 0.01, 0.02])
    this.#disorder = chance.of([0.1, 0.4, 0.9])
    for (const key of KEYS) {
      this.#ledgers.set(key, new Ledger(this.#n))
      this.#chosen.set(key, [])
    }
    this.#nodes = Array.from({ length: this.#n }, (_, index) => {
      const node = { id: `n${index}`, records: new Map(), startCount: 0 }
      return { ...node, log: this.#newLog(node, true) }
    })
    this.#callLossRates = this.#nodes.map(() => chance.of([0, 0.1, 0.9]))
    this.#stallRates = this.#nodes.map(() => chance.of([0, 0.1, 0.6]))
    this.#suspects = this.#nodes.map(() => false)
    const quorums = rules.quorums(quorumsOf(this.#n))
    this.#follower = new Follower(
      { epoch: 1, nodeIds: this.#nodes.map(({ id }) => id), quorums },
      {
        isWanted: () => true,
        mustCount: rules.mustCount,
        collectMs: 3,
        patienceMs: 200,
        silenceMsMax: Number.POSITIVE_INFINITY,
      },
    )
    for (let writer = 0; writer < WRITERS; writer += 1)
      for (const key of KEYS) this.#writers.push({ key, proposer: this.#newProposer(10 * (writer + 1)) })
  }

  run(): void {
    while (this.#now < this.#steps) {
      this.#now += 1
      this.#step()
      this.#check()
    }
  }

  #step(): void {
    const chance = this.#chance
    if (chance.happens(this.#restartRate)) return this.#restart(chance.of(this.#nodes))
    const draw = chance.uniform()
    if (draw < this.#writeRate) {
      const writing = chance.of(this.#writers)
      if (writing.proposer.isIdle) this.#write(writing)
    } else if (draw < 0.25) this.#call(chance.of(this.#nodes))
    else if (draw < 0.4) for (const due of this.#follower.takeReads(2, this.#now)) this.#read(due, 0)
    else if (draw < 0.41) this.#suspects[chance.below(this.#n)] = chance.happens(0.3)
    else this.#deliver()
  }

  // Messages ------------------------------------------------------------------------------------------------

  #send(deliver: () => void, lose: () => void, stallRate = 0): void {
    const delay = this.#chance.happens(stallRate) ? this.#chance.below(VOTES_END) : 0
    this.#parcels.push({ sentAt: this.#now, dueAt: this.#now + delay, deliver, lose })
  }

  #deliver(): void {
    const due = this.#parcels.filter(({ dueAt }) => dueAt <= this.#now)
    if (due.length === 0) return
    const parcel = this.#chance.happens(this.#disorder) ? this.#chance.of(due) : due[0]!
    this.#parcels.splice(this.#parcels.indexOf(parcel), 1)
    if (this.#now - parcel.sentAt >= VOTES_END - 1 || this.#chance.happens(0.05)) parcel.lose()
    else parcel.deliver()
  }

  #ask(
    node: number,
    key: string,
    request: Request,
    onAnswer: (record: ReturnType<typeof answer>) => void,
    onLost: () => void,
  ): void {
    const sentAt = this.#now
    const act = (): void => {
      const given = this.#act(node, key, request)
      if (request.kind === 'mark') return
      this.#send(() => onAnswer(given), onLost)
    }
    const arrive = () => (this.#now - sentAt < VOTES_END - 1 ? act() : onLost())
    this.#send(arrive, onLost, request.kind === 'accept' ? this.#stallRates[node] : 0)
  }

  #act(index: number, key: string, request: Request): ReturnType<typeof answer> {
    const node = this.#nodes[index]!
    const before = node.records.get(key) ?? EMPTY_RECORD
    const given = answer(before, request)
    if (request.kind === 'mark') node.log.marked(key, request.writeId)
    if (given.record !== before) {
      node.records.set(key, given.record)
      node.log.saved(key, before, given.record)
      node.log.committed()
      const { accepted, state } = given.record
      if (accepted !== undefined && accepted !== before.accepted)
        this.#voted(index, key, given.record.accepted!, state)
    }
    return given
  }

  #voted(
    node: number,
    key: string,
    ballot: NonNullable<KeyRecord['accepted']>,
    state: KeyRecord['state'],
  ): void {
    const ledger = this.#ledgers.get(key)!
    ledger.voted(node, ballot, state)
    const chosen = this.#chosen.get(key)!
    if (ledger.depth > (chosen.at(-1)?.depth ?? 0)) chosen.push({ at: this.#now, depth: ledger.depth })
  }

  #restart(node: Node): void {
    node.startCount += 1
    node.log = this.#newLog(node, !this.#rules.admitsStart)
  }

  #newLog({ id, startCount }: Omit<Node, 'log'>, isNew: boolean): ChangeLog {
    return new ChangeLog({ life: `${id} ${startCount}`, nowMs: () => this.#now, isNew })
  }

  // Writers -------------------------------------------------------------------------------------------------

  #newProposer(proposerId: number): Proposer<Operation> {
    return new Proposer({
      proposerId,
      quorums: quorumsOf(this.#n),
      rules: RULES,
      nextSequence: () => {
        this.#sequence += 1
        return this.#sequence
      },
      suspects: this.#suspects,
      turn: this.#chance.below(8),
      memory: undefined,
      roundNumberFloor: 0,
    })
  }

  #write({ key, proposer }: Proposing): void {
    this.#writeCount += 1
    const value = Buffer.from(`write ${this.#writeCount}`)
    const operation: Operation = {
      decide: () => ({ kind: 'propose', value, result: undefined }),
      attempts: [],
    }
    this.#perform({ key, proposer }, proposer.submit(operation), () => {})
    // It ends at some time, however it stands.
    const end = () => this.#perform({ key, proposer }, proposer.expire(operation), () => {})
    const dueAt = this.#now + this.#chance.between(100, VOTES_END)
    this.#parcels.push({ sentAt: dueAt, dueAt, deliver: end, lose: end })
  }

  #perform(proposing: Proposing, effects: readonly Effect<Operation>[], onFinish: () => void): void {
    const { key, proposer } = proposing
    const react = (next: readonly Effect<Operation>[]) => this.#perform(proposing, next, onFinish)
    for (const effect of effects) {
      if (effect.kind === 'finish') onFinish()
      else if (effect.kind === 'backoff') {
        const resume = () => react(proposer.resume(effect.token))
        this.#send(resume, resume)
      } else {
        const { to, token, request } = effect
        if (request.kind === 'accept') this.#ledgers.get(key)!.proposed(request.ballot, request.state, [])
        this.#ask(
          to,
          key,
          request,
          (given) => react(proposer.receive(to, token, given)),
          () => react(proposer.lose(to, token)),
        )
      }
    }
  }

  // The connector -------------------------------------------------------------------------------------------

  #call(node: Node): void {
    if (this.#calling.has(node.id)) return
    this.#calling.add(node.id)
    const call = this.#follower.call(node.id, this.#now)
    const lose = (): void => {
      this.#calling.delete(node.id)
    }
    if (this.#chance.happens(this.#callLossRates[this.#nodes.indexOf(node)]!)) return this.#send(lose, lose)
    this.#send(() => {
      const told = this.#tell(node, call)
      this.#send(() => {
        lose()
        const madeAt = this.#rules.tellsUntil === 'call' ? call.madeAt : this.#follower.now(this.#now)
        this.#follower.answered({ ...call, madeAt }, told, this.#now)
      }, lose)
    }, lose)
  }

  #tell({ log }: Node, { from }: Call): ChangesAnswer {
    const rest = { isTooEarly: false, hasMore: false, mismatch: undefined }
    const next = from && log.since(from.life, from.number, 100)
    if (next !== undefined)
      return { ...rest, at: { life: log.life, number: next.position }, keys: next.keys, begins: false }
    const first = log.begin(VOTES_END)
    const keys = this.#rules.tellsOpenVotes ? (first?.keys ?? []) : []
    const at = { life: log.life, number: log.position }
    return { ...rest, at, keys, begins: true, isTooEarly: first === undefined }
  }

  /** Asks the nodes that must count, and others at random until they are a quorum. */
  #read(due: DueRead, rounds: number): void {
    const records: (KeyRecord | undefined)[] = this.#nodes.map(() => undefined)
    const asked = this.#nodes.flatMap(({ id }, index) => (due.nodeIds.includes(id) ? [index] : []))
    while (asked.length < Math.floor(this.#n / 2) + 1) {
      const index = this.#chance.below(this.#n)
      if (!asked.includes(index)) asked.push(index)
    }
    let left = asked.length
    const end = (): void => {
      left -= 1
      if (left === 0) this.#onRead(due, records, rounds)
    }
    for (const index of asked) {
      const onAnswer = (given: ReturnType<typeof answer>): void => {
        records[index] = given.record
        end()
      }
      this.#ask(index, due.key, { kind: 'read' }, onAnswer, end)
    }
  }

  #onRead(due: DueRead, records: readonly (KeyRecord | undefined)[], rounds: number): void {
    if (!this.#follower.isCurrent(due)) return
    const chosen = knownChosen(records, quorumsOf(this.#n))
    if (chosen === undefined) {
      if (rounds === 3) return this.#follower.failed(due)
      const proposing = { key: due.key, proposer: this.#newProposer(1_000 + this.#now) }
      const operation: Operation = {
        needsRound: true,
        decide: () => ({ kind: 'keep', result: undefined }),
        attempts: [],
      }
      return this.#perform(proposing, proposing.proposer.submit(operation), () => this.#read(due, rounds + 1))
    }
    const value = chosen.state.value
    this.#given.set(due.key, value === undefined ? undefined : Buffer.from(value).toString())
    this.givenCount += 1
    const counted = this.#nodes.flatMap(({ id }, index) => (records[index] === undefined ? [] : [id]))
    this.#follower.wasRead(due, counted, this.#now)
  }

  #check(): void {
    const { settled } = this.#follower
    if (settled === undefined || settled.ms <= this.#settledAt) return
    this.#settledAt = settled.ms
    this.settledCount += 1
    // Who begins to watch reads everything that there is at that moment.
    this.#beganAt ??= settled.ms
    const begin = this.#beganAt
    for (const key of KEYS) {
      const due = this.#chosen.get(key)!.findLast(({ at }) => at < settled.ms)
      if (due === undefined || due.at < begin) continue
      const given = this.#given.get(key)
      const isThere = [...this.#ledgers.get(key)!.valuesFrom(due.depth)].some(
        (value) => (value === undefined ? undefined : Buffer.from(value).toString()) === given,
      )
      if (isThere) continue
      throw new Violation(
        'no change is missed',
        `everything until step ${settled.ms} was given out, but ${key} is ${given}, which is older than what was chosen at step ${due.at}`,
      )
    }
  }

  #beganAt: number | undefined
}
