/** Names for the types of the API, made of the generated ones. */
import type { components, operations } from './api-types.ts'

type Schemas = components['schemas']

export type Group = Readonly<Schemas['Group']>
export type CreateGroup = Readonly<Schemas['CreateGroup']>
/** A JSON merge patch: `null` removes a field, and what it does not name stays. */
export type UpdateGroup = Readonly<Schemas['UpdateGroup']>
export type GroupPage = Readonly<Schemas['GroupList']>
export type GroupBatch = Readonly<Schemas['Batch']>
export type GroupBatchResult = Readonly<Schemas['BatchResult']>
export type GroupMember = Readonly<Schemas['GroupMember']>
export type GroupMemberPage = Readonly<Schemas['GroupMemberList']>
export type GroupsOfPage = Readonly<Schemas['GroupsOfList']>
export type GroupMemberBatch = Readonly<Schemas['GroupMemberBatch']>
export type GroupMemberBatchResult = Readonly<Schemas['GroupMemberBatchResult']>
export type StoredGroup = Readonly<Schemas['StoredGroup']>
export type StoredGroupMember = Readonly<Schemas['StoredGroupMember']>
export type ClusterStatus = Readonly<Schemas['ClusterStatus']>
export type GroupReplicas = Readonly<Schemas['GroupReplicas']>
export type MembershipChange = Readonly<Schemas['MembershipChange']>
export type ApiKey = Readonly<Schemas['ApiKey']>
export type IssuedKey = Readonly<Schemas['IssuedKey']>
export type CreateKey = Readonly<Schemas['CreateKey']>
export type RotateKey = Readonly<Schemas['RotateKey']>
export type Caller = Readonly<Schemas['Caller']>

/** An operation of the API, by its `operationId` in the OpenAPI document. */
export type OperationId = keyof operations

type Responses<O extends OperationId> = operations[O]['responses']
type SuccessStatus = 200 | 201 | 202
type RefusalStatus = 400 | 401 | 403 | 404 | 409 | 412 | 413 | 415 | 422 | 500

type ContentOf<Response, Kind extends string> = Response extends {
  content: { [kind in Kind]: infer Content }
}
  ? Content
  : never

/** What an operation answers when it is done. */
export type ValueOf<O extends OperationId> = Readonly<
  ContentOf<Responses<O>[keyof Responses<O> & SuccessStatus], 'application/json'>
>

/** Every code that a problem can have. A newer connector may know more. */
export type ProblemCode = Schemas['Problem']['code']

type CodeOf<Content> = Content extends { code: infer Code extends ProblemCode } ? Code : never

/** The codes with which an operation can be refused. */
export type RefusalCode<O extends OperationId> = Exclude<
  CodeOf<ContentOf<Responses<O>[keyof Responses<O> & RefusalStatus], 'application/problem+json'>>,
  'internal_error'
>
