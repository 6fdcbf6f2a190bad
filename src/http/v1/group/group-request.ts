/** What the routes of one group read from a request beside its body. */
import { Type } from 'typebox'
import { GroupId } from '../../../api/schemas.ts'
import { GROUP_ID_LENGTH_MAX } from '../../../group/limits.ts'

export const GROUP_PATH = '/v1/group/:groupId'

/** A code point is at most four bytes of UTF-8, each at most three characters (`%F0`) of a path. */
export const PARAM_LENGTH_MAX = GROUP_ID_LENGTH_MAX * 12

export const GroupParams = Type.Object({ groupId: GroupId })
