/** The API as OpenAPI 3.1. A test holds it to the routes that there are, and to the errors. */

import { BackupPage, RestoreBody, RestoreResult, StoredGroup } from '../../api/backup-schemas.ts'
import { MemberBody, MembershipChange } from '../../api/member-schemas.ts'
import { CreateGroupBody, Group, GroupList, Problem, UpdateGroupBody } from '../../api/schemas.ts'
import { ClusterStatus, GroupReplicas } from '../../api/status-schemas.ts'
import { VERSION } from '../../process/version.ts'
import { headers, parameters } from './parts.ts'
import { paths } from './paths.ts'

const DESCRIPTION = `
Cohort keeps groups identical on several independent nodes. Every request is answered as if there were one copy:
what a request sees, every later one sees too, whichever connector it asks.

* *Errors** are \`application/problem+json\` (RFC 9457) with a \`code\` that never changes its meaning. Two of
* them say what
became of a change: \`unavailable\` (503, \`"outcome": "not_applied"\`): nothing was done, and nothing will be;
\`outcome_unknown\` (504, \`"outcome": "unknown"\`): it may have been done, so read before you repeat.

* *Versions.** A group's \`ETag\` is different for every state of it, also when it was deleted and made again.
* Send it as
\`If-Match\` to change only what you have seen, and as \`If-None-Match\` to read only what is new.

* *Requests** have an id, \`X-Request-Id\`: yours, if you send one of 1 to 128 visible ASCII characters, else
* a fresh one.
It comes back with every answer. Fields that are not known are refused. Of a JSON member given twice, the last counts.
A trailing slash in a path means nothing.
`.trim()

export const openapiDocument = {
  openapi: '3.1.0',
  info: {
    title: 'Cohort',
    version: VERSION,
    description: DESCRIPTION,
    license: { name: 'MIT', identifier: 'MIT' },
  },
  servers: [{ url: '/', description: 'The connector that serves this document' }],
  tags: [
    { name: 'Groups', description: 'Create, read, change and delete groups.' },
    { name: 'Operations', description: 'For those who run a cluster, and their tools.' },
    { name: 'Documentation', description: 'This description, in several forms.' },
  ],
  paths,
  components: {
    schemas: {
      Group,
      CreateGroup: CreateGroupBody,
      UpdateGroup: UpdateGroupBody,
      GroupList,
      GroupReplicas,
      ClusterStatus,
      Member: MemberBody,
      MembershipChange,
      BackupPage,
      Restore: RestoreBody,
      RestoreResult,
      StoredGroup,
      Problem,
    },
    parameters,
    headers,
  },
} as const
