import type { GroupView, Problem, Reply } from '../api-client.ts'
import { describeState, stateOf } from './group-model.ts'
import type { Command, Operation } from './operation.ts'

/** What an answer says about its operation. */
export type Answer = Pick<Operation, 'outcome' | 'seen' | 'problem' | 'etag' | 'group'>

const DONE = { read: 'read', create: 'created', update: 'updated', delete: 'deleted' } as const

/** The refusals that follow from the state of a group. The search must explain them. */
const REFUSALS = {
  409: 'group_exists',
  404: 'group_not_found',
  412: 'version_mismatch',
} as const satisfies { [status: number]: string }

/**
 * What a reply means. A change counts as not done only if the reply says so: after a 503 of a proxy, or an
 * unexpected error, it may have been done.
 */
export function judgeAnswer({ kind }: Command, reply: Reply<GroupView>): Answer {
  switch (reply.kind) {
    case 'answered': {
      const { value: group, etag } = reply
      const seen = `${DONE[kind]} ${describeState(stateOf(group))}`
      return { outcome: 'done', seen, problem: undefined, etag, group }
    }
    case 'problem': {
      const { problem } = reply
      if (isRefusal(problem)) {
        if (kind === 'read' && problem.code === 'group_not_found') return withoutGroup('done', 'read nothing')
        return withoutGroup('refused', `refused ${problem.code}`)
      }
      const name = `${problem.status} ${problem.code}`
      if (kind === 'read') return withoutGroup('unanswered', undefined, name)
      const isHarmless = problem.outcome === 'not_applied'
      return withoutGroup(isHarmless ? 'not_applied' : 'unknown', undefined, name)
    }
    case 'unreachable':
      return withoutGroup(kind === 'read' ? 'unanswered' : 'not_applied', undefined, reply.reason)
    case 'broken':
      return withoutGroup('unknown', undefined, reply.reason)
    default:
      return reply satisfies never
  }
}

function isRefusal({ status, code }: Problem): boolean {
  const refusals: { readonly [status: number]: string } = REFUSALS
  return refusals[status] === code
}

function withoutGroup(outcome: Answer['outcome'], seen: string | undefined, problem?: string): Answer {
  return { outcome, seen, problem, etag: undefined, group: undefined }
}
