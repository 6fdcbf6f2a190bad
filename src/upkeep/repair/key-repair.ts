/** Repairs one key (protocol.md §5). */
import type { Clock } from '../../process/clock.ts'
import { compareBallots, nextFastBallot } from '../../register/ballot.ts'
import { isDamage } from '../../register/damage.ts'
import type { Chosen, Records } from '../../register/known-chosen.ts'
import type { Answer, KeyRecord } from '../../register/messages.ts'
import { sameWriteId } from '../../register/state.ts'
import type { Replica } from '../../replication/divergence.ts'
import { ask } from '../../replication/links/ask.ts'
import type { RepairMember, RepairTarget } from './repair-target.ts'

/**
 * - `equal`: all members that answered already held the same.
 * - `learned`: the members that lacked the chosen state have it now.
 * - `settled`: the records did not show which state is chosen, or a stub refused it; a classic round has
 *   decided.
 * - `diverged`: members contradict each other; nothing was written (see `divergence.ts`).
 * - `failed`: too few members answered, or not in time.
 */
export type KeyOutcome = 'equal' | 'learned' | 'settled' | 'diverged' | 'failed'

export type KeyRepairOptions = Readonly<{
  clock: Clock
  /**
   * The longest time that an operation may take. A state that was read longer ago is not passed on
   * (protocol.md §6).
   */
  timeoutMs: () => number
  /**
   * Called with what members hold for a key. Returns the contradictions among them. A key that has one is not
   * repaired.
   */
  observe: (key: string, replicas: readonly Replica[]) => readonly unknown[]
}>

/** No client waits for the answers to requests of repair. */
const BACKGROUND = { isBackground: true }

/**
 * Reads a key from every member that is up, and sends the chosen state to those that lack it. It may be
 * repeated, also by several connectors at the same time.
 */
export async function repairKey(
  { members, client }: RepairTarget,
  key: string,
  { clock, timeoutMs, observe }: KeyRepairOptions,
): Promise<KeyOutcome> {
  const startMs = clock.nowMs()
  const records = await Promise.all(members.map((member) => read(member, key)))
  const isDivergent = (): boolean => observe(key, replicasOf(members, records)).length > 0
  if (isDivergent()) return 'diverged'
  const judgement = client.judge(records)
  if (judgement === undefined || clock.nowMs() - startMs > timeoutMs()) return 'failed'
  const { chosen } = judgement
  if (chosen === undefined) return settle(client, key)
  const lagging = [...members.keys()].filter((index) => lacks(records[index], chosen))
  if (lagging.length === 0) return 'equal'
  const answers = await Promise.all(lagging.map((index) => teach(members[index]!, key, chosen)))
  if (answers.includes(undefined)) return 'failed'
  if (answers.every((answer) => answer?.ok)) return 'learned'
  // A member has refused. Either it is a stub, which needs a higher ballot; or it now contradicts the chosen
  // state.
  for (const [at, index] of lagging.entries()) records[index] = answers[at]!.record
  return isDivergent() ? 'diverged' : settle(client, key)
}

/**
 * Repairs a key with half of the messages, if scans have shown which state is chosen, which members hold it,
 * and which lack it. Then the state is read from one member that holds it. A chosen state stays chosen,
 * however old the scan is, but the state is passed on only if that member still holds it. Otherwise it works
 * like `repairKey`.
 *
 * @param scanned.records what the scans showed, at the index of the member; `undefined` for a member that was
 *   not scanned
 */
export async function repairScanned(
  target: RepairTarget,
  { key, records }: Readonly<{ key: string; records: Records }>,
  options: KeyRepairOptions & Readonly<{ random: () => number }>,
): Promise<KeyOutcome> {
  const { members, client } = target
  const chosen = client.judge(records)?.chosen
  if (chosen?.ballot === undefined || isContradicted(records, chosen)) return repairKey(target, key, options)
  const holders = members.filter((_, index) => holds(records[index], chosen))
  const lagging = members.filter((_, index) => lacks(records[index], chosen))
  const startMs = options.clock.nowMs()
  const held = await read(holders[Math.floor(options.random() * holders.length)]!, key)
  const isLate = options.clock.nowMs() - startMs > options.timeoutMs()
  if (held === undefined || isLate || !holds(held, chosen)) return repairKey(target, key, options)
  const { ballot } = chosen
  const answers = await Promise.all(
    lagging.map((member) => teach(member, key, { state: held.state, ballot })),
  )
  return answers.every((answer) => answer?.ok) ? 'learned' : repairKey(target, key, options)
}

async function read(member: RepairMember, key: string): Promise<KeyRecord | undefined> {
  if (member.link.isSuspect) return undefined
  const reply = await ask(member.link, key, { kind: 'read' }, BACKGROUND)
  // A damaged record says nothing about its node; healing mends it in another way.
  return reply === undefined || isDamage(reply) ? undefined : reply.record
}

function replicasOf(members: readonly RepairMember[], records: Records): Replica[] {
  return members.flatMap(({ nodeId }, index) => {
    const record = records[index]
    return record === undefined ? [] : [{ nodeId, record }]
  })
}

async function teach(
  member: RepairMember,
  key: string,
  { state, ballot }: Chosen,
): Promise<Answer | undefined> {
  const request = { kind: 'learn', ballot: ballot!, state, next: nextFastBallot(ballot!) } as const
  const reply = await ask(member.link, key, request, BACKGROUND)
  return reply === undefined || isDamage(reply) ? undefined : reply
}

async function settle(client: RepairTarget['client'], key: string): Promise<KeyOutcome> {
  const outcome = await client.settle(key)
  return outcome.kind === 'decided' ? 'settled' : 'failed'
}

/** Whether a learn would change what a node has accepted. `false` for a node that did not answer. */
function lacks(record: KeyRecord | undefined, chosen: Chosen): boolean {
  if (record === undefined || chosen.ballot === undefined) return false
  const { accepted, state } = record
  const order = accepted === undefined ? -1 : compareBallots(accepted, chosen.ballot)
  return order < 0 || (order === 0 && !sameWriteId(state.writeId, chosen.state.writeId))
}

function holds(record: KeyRecord | undefined, chosen: Chosen): boolean {
  if (record?.accepted === undefined || chosen.ballot === undefined) return false
  const isSameBallot = compareBallots(record.accepted, chosen.ballot) === 0
  return isSameBallot && sameWriteId(record.state.writeId, chosen.state.writeId)
}

/** Whether a record marks another state as chosen at the same or a higher ballot. */
function isContradicted(records: Records, chosen: Chosen): boolean {
  return records.some((record) => record?.chosen && lacks(record, chosen) && !isBelow(record, chosen))
}

function isBelow({ accepted }: KeyRecord, { ballot }: Chosen): boolean {
  return accepted !== undefined && ballot !== undefined && compareBallots(accepted, ballot) < 0
}
