/**
 * Versions of the protocol of group members with one broken rule each. The checkers must notice each of them.
 * No process that ships can reach any of this code.
 */
import { entryKey, type MemberOfLife, memberKey } from '../../engines/cohort/group-members/member-keys.ts'
import {
  type Leftover,
  MemberProtocol,
  type MemberProtocolOptions,
} from '../../engines/cohort/group-members/member-protocol.ts'
import type { GroupMember, GroupMemberCommand } from '../../group/group-member.ts'
import { decodeEntry, decodeGroupMember, encodeEntry } from '../../group/group-member-codec.ts'
import type { Value } from '../../register/state.ts'
import { MEMBER_RULES, type MemberRules } from './member-world.ts'

export type MemberMutation = Readonly<{
  /** The rule that is broken, as a sentence. */
  name: string
  rules: MemberRules
  /** The first seed with which they find it. */
  seed: number
  /** The checkers must find it with one of the seeds from 1 to this number. */
  seedsMax: number
}>

/** One register for all lives of a group; the life is in the value. */
class LifeInValue extends MemberProtocol {
  override memberKey(at: MemberOfLife): string {
    return memberKey({ ...at, life: 'any' })
  }

  override memberOf({ life }: MemberOfLife, value: Value): GroupMember | undefined {
    if (value === undefined) return undefined
    const { life: held, ...member } = decodeGroupMember(value) as GroupMember & Readonly<{ life: string }>
    return held === life ? member : undefined
  }

  protected override valueOf({ life }: MemberOfLife, member: GroupMember): Uint8Array {
    return Buffer.from(JSON.stringify({ ...member, life }))
  }
}

class IndexAfterMember extends MemberProtocol {
  override async put(groupId: string, memberId: string, command: GroupMemberCommand) {
    const found = await this.lifeOf(groupId)
    if (found.kind !== 'decided' || found.result === undefined) return super.put(groupId, memberId, command)
    const at = { groupId, life: found.result, memberId }
    const outcome = await this.changeMember(at, command)
    await this.enter(at)
    return outcome
  }
}

/** A remove deletes the entry of the index too: any entry, or the one whose ticket it has read before. */
class RemoveDeletesEntry extends MemberProtocol {
  readonly #isConditional: boolean

  constructor(options: MemberProtocolOptions, isConditional: boolean) {
    super(options)
    this.#isConditional = isConditional
  }

  override async remove(groupId: string, memberId: string, command: GroupMemberCommand) {
    const life = this.options.lives.get(groupId)
    const registers = this.options.registers()!
    const key = life === undefined ? undefined : entryKey({ groupId, life, memberId })
    const ticketOf = (value: Value) => (value === undefined ? undefined : decodeEntry(value))
    const before = key === undefined ? undefined : await registers.read(key, ticketOf)
    const outcome = await super.remove(groupId, memberId, command)
    if (key === undefined || outcome.kind !== 'decided' || outcome.result.kind !== 'removed') return outcome
    const ticket = before?.kind === 'decided' ? before.result : undefined
    await registers.submit(key, (value) =>
      value === undefined || (this.#isConditional && ticketOf(value) !== ticket)
        ? { kind: 'keep', result: undefined }
        : { kind: 'propose', value: undefined, result: undefined },
    )
    return outcome
  }
}

/** The life that a connector remembers is taken for the life of the group. */
class UncheckedLife extends MemberProtocol {
  override async read(groupId: string, memberId: string) {
    const life = this.options.lives.get(groupId)
    if (life === undefined) return super.read(groupId, memberId)
    const reading = await this.readMember({ groupId, life, memberId })
    if (reading.kind !== 'decided') return reading
    return { kind: 'decided', result: { hasGroup: true, member: reading.result } } as const
  }
}

class SweepWithoutRound extends MemberProtocol {
  protected override async settleMember() {
    return { kind: 'decided', result: undefined } as const
  }
}

class EntryKeepsTicket extends MemberProtocol {
  protected override enter(at: MemberOfLife) {
    const value = encodeEntry(this.options.drawTicket())
    return this.options
      .registers()!
      .submit(entryKey(at), (held) =>
        held === undefined
          ? ({ kind: 'propose', value, result: undefined } as const)
          : ({ kind: 'keep', result: undefined } as const),
      )
  }
}

class UnmarkedSweep extends MemberProtocol {
  protected override markOf(kind: Leftover['kind']): string {
    return kind
  }
}

function withProtocol(newProtocol: MemberRules['newProtocol']): MemberRules {
  return { ...MEMBER_RULES, newProtocol }
}

const SEEDS_MAX = 5_000

export const MEMBER_MUTATIONS: readonly MemberMutation[] = [
  {
    name: 'the life is in the value of a group member and not in its key',
    rules: withProtocol((options) => new LifeInValue(options)),
    seed: 43,
    seedsMax: SEEDS_MAX,
  },
  {
    name: 'the index is written after the group member',
    rules: withProtocol((options) => new IndexAfterMember(options)),
    seed: 2,
    seedsMax: SEEDS_MAX,
  },
  {
    name: 'a remove deletes the entry of the index that it has read before',
    rules: withProtocol((options) => new RemoveDeletesEntry(options, true)),
    seed: 102,
    seedsMax: SEEDS_MAX,
  },
  {
    name: 'a remove deletes the entry of the index, whatever it is',
    rules: withProtocol((options) => new RemoveDeletesEntry(options, false)),
    seed: 2,
    seedsMax: SEEDS_MAX,
  },
  {
    name: 'the sweep of the index does not wait',
    rules: { ...MEMBER_RULES, waits: (kind) => kind === 'member' },
    seed: 334,
    seedsMax: SEEDS_MAX,
  },
  {
    name: 'the sweep of group members does not wait',
    rules: { ...MEMBER_RULES, waits: (kind) => kind === 'entry' },
    seed: 91,
    seedsMax: SEEDS_MAX,
  },
  {
    name: 'a remembered life is not checked',
    rules: withProtocol((options) => new UncheckedLife(options)),
    seed: 1,
    seedsMax: SEEDS_MAX,
  },
  {
    name: 'the sweep of the index runs no round on the group member',
    rules: withProtocol((options) => new SweepWithoutRound(options)),
    seed: 94,
    seedsMax: SEEDS_MAX,
  },
  {
    name: 'an add leaves the entry of the index as it is, if there is one',
    rules: withProtocol((options) => new EntryKeepsTicket(options)),
    seed: 22,
    seedsMax: SEEDS_MAX,
  },
  {
    name: 'the sweep removes what has changed since it was found',
    rules: withProtocol((options) => new UnmarkedSweep(options)),
    seed: 32,
    seedsMax: SEEDS_MAX,
  },
  {
    name: 'a restored group goes on with the life that it had before',
    rules: { ...MEMBER_RULES, restoredLife: (_drawn, incarnation) => incarnation },
    seed: 146,
    seedsMax: SEEDS_MAX,
  },
]
