import type { GroupMember } from '../../api/group-member-schemas.ts'
import { describeGroup, describeMember } from '../../linearizability/group-life.ts'
import type { GroupView, Problem, Reply } from '../api-client.ts'
import { groupStateOf, memberStateOf } from './content.ts'
import type { Command, Operation } from './operation.ts'

/** What an answer says about its operation. */
export type Answer = Pick<Operation, 'outcome' | 'seen' | 'problem' | 'etag' | 'group' | 'member'>

const DONE = { read: 'read', create: 'created', update: 'updated', delete: 'deleted' } as const

/** The refusals that follow from the state of a group or a member. The search must explain them. */
const REFUSALS: { readonly [code: string]: number } = {
  group_exists: 409,
  group_not_found: 404,
  group_member_not_found: 404,
  version_mismatch: 412,
  precondition_failed: 412,
}

/**
 * What a reply means. A change counts as not done only if the reply says so: after a 503 of a proxy, or an
 * unexpected error, it may have been done.
 */
export function judgeAnswer(command: Command, reply: Reply<GroupView | GroupMember>): Answer {
  const { kind } = command
  const isReading = kind === 'read' || kind === 'check'
  switch (reply.kind) {
    case 'answered':
      return judgeSuccess(command, reply)
    case 'problem': {
      const { problem } = reply
      if (isRefusal(problem)) {
        if (kind === 'read' && problem.code === 'group_not_found') return nothingShown('done', 'read nothing')
        if (kind === 'check' && problem.code === 'group_member_not_found')
          return nothingShown('done', 'checked no member')
        return nothingShown('refused', `refused ${problem.code}`)
      }
      const name = `${problem.status} ${problem.code}`
      if (isReading) return nothingShown('unanswered', undefined, name)
      const isHarmless = problem.outcome === 'not_applied'
      return nothingShown(isHarmless ? 'not_applied' : 'unknown', undefined, name)
    }
    case 'unreachable':
      return nothingShown(isReading ? 'unanswered' : 'not_applied', undefined, reply.reason)
    case 'broken':
      return nothingShown('unknown', undefined, reply.reason)
    default:
      return reply satisfies never
  }
}

function judgeSuccess(
  command: Command,
  { value, etag, status }: Extract<Reply<GroupView | GroupMember>, { kind: 'answered' }>,
): Answer {
  const shown = { outcome: 'done', problem: undefined, etag } as const
  if (!('memberId' in command)) {
    const group = value as GroupView
    const seen = `${DONE[command.kind]} ${describeGroup(groupStateOf(group))}`
    return { ...shown, seen, group, member: undefined }
  }
  const member = value as GroupMember
  const seen = `${doneToMember(command.kind, status)} ${describeMember(memberStateOf(member))}`
  return { ...shown, seen, group: undefined, member }
}

function doneToMember(kind: 'add' | 'put' | 'check' | 'remove', status: number): string {
  if (kind === 'check') return 'checked'
  if (kind === 'remove') return 'removed'
  return status === 201 ? 'added' : 'changed'
}

function isRefusal({ status, code }: Problem): boolean {
  return REFUSALS[code] === status
}

function nothingShown(outcome: Answer['outcome'], seen: string | undefined, problem?: string): Answer {
  return { outcome, seen, problem, etag: undefined, group: undefined, member: undefined }
}
