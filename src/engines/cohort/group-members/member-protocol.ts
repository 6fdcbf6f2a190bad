/**
 * The members of groups on registers that know nothing of each other (protocol.md §11). This is the protocol
 * alone: production and the simulator run it, each over registers of its own.
 *
 * Three registers take part. The group has a life. A group member is in a register of its own, whose key
 * names the life. An entry in the index of the member's groups is in a third one; it is written first.
 */
import { lifeOfStored } from '../../../group/group-codec.ts'
import type { GroupMember, GroupMemberCommand, GroupMemberDecision } from '../../../group/group-member.ts'
import {
  decodeEntry,
  decodeGroupMember,
  encodeEntry,
  encodeGroupMember,
} from '../../../group/group-member-codec.ts'
import type { GroupMemberReading } from '../../../group/group-members.ts'
import {
  type Decision as RegisterDecision,
  type Outcome as RegisterOutcome,
  UnreadableValueError,
} from '../../../register/operation.ts'
import type { Value } from '../../../register/state.ts'
import { GROUP_NAMESPACE } from '../group-registry.ts'
import type { KnownLives } from './known-lives.ts'
import { entryKey, type MemberOfLife, memberKey, parseEntryKey, parseMemberKey } from './member-keys.ts'

/** Linearizable registers. `RegisterClient` has them. */
export type Registers = Readonly<{
  read<R>(key: string, resultOf: (value: Value) => R): Promise<RegisterOutcome<R>>
  submit<R>(key: string, decide: (value: Value) => RegisterDecision<R>): Promise<RegisterOutcome<R>>
  /**
   * A round that changes nothing. After it, no write that began before it can be chosen any more, unless it
   * was chosen already.
   */
  settle(key: string): Promise<RegisterOutcome<undefined>>
}>

export type MemberProtocolOptions = Readonly<{
  registers: () => Registers | undefined
  lives: KnownLives
  nowMs: () => number
  /** The time after which an operation takes no further step. */
  lifetimeMs: () => number
  /** Draws a text that was never drawn before. */
  drawTicket: () => string
}>

/** What the sweep has found left over. */
export type Leftover = Readonly<{
  key: string
  at: MemberOfLife
  kind: 'member' | 'entry'
  /** Tells the value from every other value of its register. */
  mark: string
  /** Whether the life is over. It is over for good, since no two lives are the same. */
  isLifeOver: boolean
  /**
   * What must have been seen for the grace time: that this life is over, or that an entry of a life that is
   * not over has this mark and no group member.
   */
  waitsFor: string
}>

const NOT_APPLIED = { kind: 'not_applied' } as const

export class MemberProtocol {
  protected readonly options: MemberProtocolOptions

  constructor(options: MemberProtocolOptions) {
    this.options = options
  }

  /** Whether somebody is in a group: one round trip if the group's life is remembered. */
  async read(groupId: string, memberId: string): Promise<RegisterOutcome<GroupMemberReading>> {
    const beganAtMs = this.options.nowMs()
    const remembered = this.options.lives.get(groupId)
    const early =
      remembered === undefined ? undefined : this.readMember({ groupId, life: remembered, memberId })
    const found = await this.lifeOf(groupId)
    if (found.kind !== 'decided') return found
    const life = found.result
    if (life === undefined) return { kind: 'decided', result: { hasGroup: false, member: undefined } }
    if (this.isLate(beganAtMs)) return NOT_APPLIED
    // A member of a life that is over says nothing.
    const reading = life === remembered ? await early! : await this.readMember({ groupId, life, memberId })
    if (reading.kind !== 'decided') return reading
    return { kind: 'decided', result: { hasGroup: true, member: reading.result } }
  }

  /**
   * Adds or changes a group member. The entry in the index is written first, also if there is one, with a
   * ticket of its own: so whatever counts has an entry, and the sweep sees that somebody works on it.
   */
  async put(
    groupId: string,
    memberId: string,
    command: GroupMemberCommand,
  ): Promise<RegisterOutcome<GroupMemberDecision>> {
    const beganAtMs = this.options.nowMs()
    const remembered = this.options.lives.get(groupId)
    // An entry for a life that is over is swept: so both go at the same time.
    const early = remembered === undefined ? undefined : this.enter({ groupId, life: remembered, memberId })
    const found = await this.lifeOf(groupId)
    if (found.kind !== 'decided') return found
    const life = found.result
    if (life === undefined) return NO_GROUP
    const at = { groupId, life, memberId }
    const entered = life === remembered ? await early! : await this.enter(at)
    // An entry without a group member does not count, so nothing was changed.
    if (entered.kind !== 'decided' || this.isLate(beganAtMs)) return NOT_APPLIED
    return this.changeMember(at, command)
  }

  /** Removes a group member. The entry in the index stays, for the sweep: an add may be under way. */
  async remove(
    groupId: string,
    memberId: string,
    command: GroupMemberCommand,
  ): Promise<RegisterOutcome<GroupMemberDecision>> {
    const beganAtMs = this.options.nowMs()
    const found = await this.lifeOf(groupId)
    if (found.kind !== 'decided') return found
    const life = found.result
    if (life === undefined) return NO_GROUP
    if (this.isLate(beganAtMs)) return NOT_APPLIED
    return this.changeMember({ groupId, life, memberId }, command)
  }

  /**
   * Whether the value of a register is left over. `undefined`: it is not, or that is not known. `life`: the
   * life of its group, as it was read after the value.
   */
  async findLeftover(
    key: string,
    { value, life }: Readonly<{ value: Value; life: string | undefined }>,
  ): Promise<Leftover | undefined> {
    const parsed = this.parse(key)
    if (parsed === undefined || value === undefined) return undefined
    const { at, kind } = parsed
    const mark = this.markOf(kind, value)
    const leftover = { key, at, kind, mark, isLifeOver: false, waitsFor: `entry ${mark} ${key}` }
    if (life !== at.life) return { ...leftover, isLifeOver: true, waitsFor: `life ${at.life} ${at.groupId}` }
    if (kind === 'member') return undefined
    const member = await this.readMember(at)
    return member.kind === 'decided' && member.result === undefined ? leftover : undefined
  }

  /**
   * Removes what was found left over, if it still is, and is unchanged. Call it when the grace time has
   * passed: everything that was under way when it was found has ended.
   *
   * @returns whether it was removed
   */
  async sweep({ key, at, kind, mark, isLifeOver }: Omit<Leftover, 'waitsFor'>): Promise<boolean> {
    const registers = this.options.registers()
    if (registers === undefined || !(isLifeOver || (await this.#hasNoMember(at)))) return false
    const outcome = await registers.submit(key, (value): RegisterDecision<boolean> => {
      if (value === undefined || this.markOf(kind, value) !== mark) return { kind: 'keep', result: false }
      return { kind: 'propose', value: undefined, result: true }
    })
    return outcome.kind === 'decided' && outcome.result
  }

  /** Whether there is no such group member, and no write that is under way can make it one. */
  async #hasNoMember(at: MemberOfLife): Promise<boolean> {
    const life = await this.lifeOf(at.groupId)
    if (life.kind !== 'decided') return false
    if (life.result !== at.life) return true
    // A write whose connector died may be chosen at any time, until a round is above it.
    const settled = await this.settleMember(at)
    const member = settled.kind === 'decided' ? await this.readMember(at) : NOT_APPLIED
    return member.kind === 'decided' && member.result === undefined
  }

  /** The life of a group. `undefined`: there is no such group. */
  async lifeOf(groupId: string): Promise<RegisterOutcome<string | undefined>> {
    const outcome = await this.onRegisters((registers) =>
      registers.read(GROUP_NAMESPACE + groupId, (value) =>
        value === undefined ? undefined : orUnreadable(lifeOfStored, value),
      ),
    )
    if (outcome.kind === 'decided') this.options.lives.note(groupId, outcome.result)
    return outcome
  }

  readMember(at: MemberOfLife): Promise<RegisterOutcome<GroupMember | undefined>> {
    return this.onRegisters((registers) =>
      registers.read(this.memberKey(at), (value) => this.memberOf(at, value)),
    )
  }

  /** The group member that a value of its register is. `undefined`: none. */
  memberOf(_at: MemberOfLife, value: Value): GroupMember | undefined {
    return groupMemberOf(value)
  }

  protected valueOf(_at: MemberOfLife, member: GroupMember): Uint8Array {
    return encodeGroupMember(member)
  }

  memberKey(at: MemberOfLife): string {
    return memberKey(at)
  }

  /** What a key is the key of. */
  protected parse(key: string): Pick<Leftover, 'at' | 'kind'> | undefined {
    const member = parseMemberKey(key)
    if (member !== undefined) return { at: member, kind: 'member' }
    const entry = parseEntryKey(key)
    return entry === undefined ? undefined : { at: entry, kind: 'entry' }
  }

  /** Writes an entry of the index, with a new ticket. */
  protected enter(at: MemberOfLife): Promise<RegisterOutcome<undefined>> {
    const value = encodeEntry(this.options.drawTicket())
    return this.onRegisters((registers) =>
      registers.submit(entryKey(at), () => ({ kind: 'propose', value, result: undefined })),
    )
  }

  protected changeMember(
    at: MemberOfLife,
    command: GroupMemberCommand,
  ): Promise<RegisterOutcome<GroupMemberDecision>> {
    return this.onRegisters((registers) =>
      registers.submit(this.memberKey(at), (value): RegisterDecision<GroupMemberDecision> => {
        const { decision, next } = command(this.memberOf(at, value))
        if (next === undefined) return { kind: 'keep', result: decision }
        const after = next.member === undefined ? undefined : this.valueOf(at, next.member)
        return { kind: 'propose', value: after, result: decision }
      }),
    )
  }

  protected settleMember(at: MemberOfLife): Promise<RegisterOutcome<undefined>> {
    return this.onRegisters((registers) => registers.settle(this.memberKey(at)))
  }

  protected markOf(kind: Leftover['kind'], value: Uint8Array): string {
    if (kind === 'entry') return orUnreadable(decodeEntry, value)
    const { version, incarnation } = orUnreadable(decodeGroupMember, value)
    return `${version}-${incarnation}`
  }

  /**
   * A process that was stopped must not go on with what it has read before: a life that it has read may be
   * over for so long that the sweep has removed its members.
   */
  isLate(beganAtMs: number, lifetimes = 1): boolean {
    return this.options.nowMs() - beganAtMs > lifetimes * this.options.lifetimeMs()
  }

  get nowMs(): number {
    return this.options.nowMs()
  }

  protected async onRegisters<R>(
    ask: (registers: Registers) => Promise<RegisterOutcome<R>>,
  ): Promise<RegisterOutcome<R>> {
    const registers = this.options.registers()
    return registers === undefined ? NOT_APPLIED : ask(registers)
  }
}

const NO_GROUP = {
  kind: 'decided',
  result: { kind: 'refused', refusal: 'group_not_found' },
} as const satisfies RegisterOutcome<GroupMemberDecision>

/** The group member in the value of its register. @throws {UnreadableValueError} */
export function groupMemberOf(value: Value): GroupMember | undefined {
  return value === undefined ? undefined : orUnreadable(decodeGroupMember, value)
}

function orUnreadable<T>(decode: (bytes: Uint8Array) => T, value: Uint8Array): T {
  try {
    return decode(value)
  } catch (cause) {
    throw new UnreadableValueError('a value is not what this register stores', { cause })
  }
}
