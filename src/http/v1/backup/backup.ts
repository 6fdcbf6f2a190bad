import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { BackupPage } from '../../../api/backup-schemas.ts'
import { backedUp } from '../../../group/group-codec.ts'
import type { Dependencies } from '../../dependencies.ts'
import { answer } from '../../docs/describe.ts'
import { sendFailure } from '../../outcome.ts'
import { DescribedPageQuery, limitOf, PageQuery } from '../../page-query.ts'
import { sendTexts } from '../group/send-texts.ts'

const schema = {
  operationId: 'backUpGroups',
  tags: ['Operations'],
  summary: 'Read groups as they are stored',
  description:
    'A page of groups with everything that a restore needs, in the order of their ids (as UTF-8 bytes). Each group is as a read at some moment of the request would have shown it. `cohort backup` writes all pages into a file.',
  querystring: PageQuery,
  describedQuery: DescribedPageQuery,
  response: { 200: answer('A page.', BackupPage) },
  problems: ['unavailable'],
} as const

/**
 * `GET /v1/backup`: a page of groups as they are stored. The groups have one field that no other route shows:
 * the incarnation.
 */
export function backupRoute({
  engine: { registry },
  retryAfterSeconds,
}: Dependencies): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get('/v1/backup', { config: { cost: 'bulk' }, schema }, async (request, reply) => {
      const { after } = request.query
      const options = { after, limit: limitOf(request.query) }
      if (registry.scanTexts !== undefined) {
        const outcome = await registry.scanTexts({ ...options, form: 'backup' })
        if (outcome.kind !== 'done') return sendFailure(reply, outcome, retryAfterSeconds)
        return sendTexts(reply, outcome.value)
      }
      const outcome = await registry.scan(options)
      if (outcome.kind !== 'done') return sendFailure(reply, outcome, retryAfterSeconds)
      const { groups, ...page } = outcome.value
      return { groups: groups.map(backedUp), ...page }
    })
  }
}
