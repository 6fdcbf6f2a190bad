/**
 * A program against types that `openapi-typescript` made of the API's description (`api.d.ts`, which
 * typed-client.test.ts writes). Each `@ts-expect-error` is a mistake that the types must find.
 */
import createClient from 'openapi-fetch'
import type { components, paths } from './api.d.ts'

type Group = components['schemas']['Group']

const api = createClient<paths>({ baseUrl: process.argv[2] ?? '' })
const said: string[] = []
const say = (text: string) => said.push(text)

// Create ------------------------------------------------------------------------------------------
const created = await api.POST('/v1/group', { body: { groupId: 'typed', labels: { team: 'core' } } })
say(`created ${created.data?.groupId} at version ${created.data?.version}`)
const etag = created.response.headers.get('etag') ?? ''

const again = await api.POST('/v1/group', { body: { groupId: 'typed' } })
if (again.error?.code === 'group_exists') say(`taken: ${again.error.title}`)
// @ts-expect-error: no create is answered with this code
if (again.error?.code === 'group_not_found') say('never')
// @ts-expect-error: the id is missing
await api.POST('/v1/group', { body: { labels: {} } })
// @ts-expect-error: an unknown field
const misspelt: components['schemas']['CreateGroup'] = { groupId: '', descripton: '' }
await api.POST('/v1/group', { body: misspelt })

// Read --------------------------------------------------------------------------------------------
const params = { path: { groupId: 'typed' } }
const read = await api.GET('/v1/group/{groupId}', { params })
if (read.data !== undefined) say(`read ${describe(read.data)}`)
// @ts-expect-error: the id is missing
await api.GET('/v1/group/{groupId}', {})

// List --------------------------------------------------------------------------------------------
const list = await api.GET('/v1/group', { params: { query: { limit: 10 } } })
say(`listed ${list.data?.groups.map(describe).join()}, and ${list.data?.after ?? 'nothing'} more`)
// @ts-expect-error: a limit is a number
await api.GET('/v1/group', { params: { query: { limit: 'ten' } } })

// Patch -------------------------------------------------------------------------------------------
const patched = await api.PATCH('/v1/group/{groupId}', {
  params: { ...params, header: { 'If-Match': etag } },
  body: { description: 'new', labels: { team: null } },
})
say(`patched ${patched.data === undefined ? 'nothing' : describe(patched.data)}`)
const stale = await api.PATCH('/v1/group/{groupId}', {
  params: { ...params, header: { 'If-Match': etag } },
  body: { description: null },
})
say(`stale: ${stale.error === undefined ? 'no' : whatToDo(stale.error)}`)

// Delete ------------------------------------------------------------------------------------------
const deleted = await api.DELETE('/v1/group/{groupId}', { params })
say(`deleted ${deleted.data?.groupId}`)
const gone = await api.DELETE('/v1/group/{groupId}', { params })
say(`gone: ${gone.error?.code}`)

console.log(said.join('\n'))

function describe({ groupId, description, labels, version }: Group): string {
  const keys = Object.keys(labels ?? {}).join()
  return `${groupId} ${version} ${description ?? '-'} [${keys}]`
}

type ChangeProblem = NonNullable<typeof stale.error>

/** Handles every code with which a change can be answered: the compiler reports a missing one. */
function whatToDo(problem: ChangeProblem): string {
  switch (problem.code) {
    case 'version_mismatch':
    case 'precondition_failed':
      return 'read it, and decide again'
    case 'rate_limited':
    case 'overloaded':
    case 'unavailable':
      return 'repeat it'
    case 'outcome_unknown':
    case 'internal_error':
      return 'read before you repeat it'
    case 'unreadable_group':
      return 'tell an operator'
    case 'unauthenticated':
    case 'forbidden':
      return 'ask an administrator for a key'
    case 'group_not_found':
      return 'create it'
    case 'invalid_request':
    case 'invalid_json':
    case 'invalid_path':
    case 'too_many_labels':
    case 'idempotency_key_reused':
    case 'body_too_large':
    case 'unsupported_media_type':
      return `mend it: ${problem.errors?.map(({ field }) => field).join()}`
    default:
      return problem satisfies never
  }
}
