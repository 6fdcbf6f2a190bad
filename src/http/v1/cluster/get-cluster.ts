import type { FastifyPluginAsync } from 'fastify'
import { type Caller, isWithin } from '../../../access/caller.ts'
import { hasRight } from '../../../access/role.ts'
import { CLUSTER_EXAMPLE } from '../../../api/status-examples.ts'
import { ClusterStatus } from '../../../api/status-schemas.ts'
import type { Dependencies } from '../../dependencies.ts'
import { answer } from '../../docs/describe.ts'

/** The keys of groups begin so, and then have the id of the group. */
const GROUP_KEY_START = 'group/'

const schema = {
  operationId: 'getCluster',
  tags: ['Operations'],
  summary: 'The state of the cluster',
  description:
    'A verdict, the reason, and every node as this connector sees it. The answer comes at once and with status 200, whatever the verdict is, also before the connector has found its cluster. What is not known is null. Of the keys that differ, a caller sees only those that it may read.',
  response: { 200: answer('The cluster.', ClusterStatus, { example: CLUSTER_EXAMPLE }) },
}

/** `GET /v1/cluster`: always 200. The body has the verdict. */
export function getClusterRoute({ engine: { status } }: Dependencies): FastifyPluginAsync {
  return async (app) => {
    app.get('/v1/cluster', { schema }, async ({ caller }) => {
      const described = status.describe()
      const first = described.divergences.first.filter(({ key }) => maySee(caller, key))
      return { ...described, divergences: { ...described.divergences, first } }
    })
  }
}

/** Whether a caller may know that there is a key. The key of a group has its id. */
function maySee({ role, prefix }: Caller, key: string): boolean {
  if (!hasRight(role, 'read')) return false
  return prefix === '' || isWithin(`${GROUP_KEY_START}${prefix}`, key)
}
