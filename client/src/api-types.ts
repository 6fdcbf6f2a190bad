/**
 * The types of the API. `npm run client:types` writes this file from the OpenAPI document of the routes. Do
 * not edit it: a test compares it with the routes. It is long because it names every answer of every route.
 */
export interface paths {
    "/v1/group": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listGroups"];
        put?: never;
        post: operations["createGroup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/groups:batch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["batchGroups"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/group/{groupId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getGroup"];
        put?: never;
        post?: never;
        delete: operations["deleteGroup"];
        options?: never;
        head?: never;
        patch: operations["updateGroup"];
        trace?: never;
    };
    "/v1/watch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["watchGroups"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/cluster": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getCluster"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/backup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["backUpGroups"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/restore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["restoreGroups"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/group/{groupId}/replicas": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getReplicas"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/group/{groupId}/members/{memberId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getGroupMember"];
        put: operations["putGroupMember"];
        post?: never;
        delete: operations["removeGroupMember"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/group/{groupId}/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listGroupMembers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/group/{groupId}/members:batch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["batchGroupMembers"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/member/{memberId}/groups": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listGroupsOfMember"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/backup/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["backUpGroupMembers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/restore/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["restoreGroupMembers"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/cluster/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["addMember"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/cluster/members/{nodeId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put: operations["replaceMember"];
        post?: never;
        delete: operations["removeMember"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/caller": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getCaller"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/key": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listKeys"];
        put?: never;
        post: operations["createKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/key/{keyId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getKey"];
        put?: never;
        post?: never;
        delete: operations["revokeKey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/key/{keyId}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["rotateKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * ApiKey
         * @description An API key, without its secret.
         */
        ApiKey: {
            /** @description The public id of the key: the 8 characters after `cohort_` in the key. */
            keyId: string;
            /** @description What the key is for, for people. Other keys may have the same name. 1 to 100 characters, without control characters. */
            name: string;
            /**
             * @description `reader` reads groups. `writer` also creates, changes and deletes them. `admin` may do everything. `monitor` sees the metrics and the state of the cluster, and no group.
             * @enum {string}
             */
            role: "reader" | "writer" | "admin" | "monitor";
            /** @description The key may read and change only groups whose id begins with this text. Without it: all groups. */
            prefix?: string;
            /** Format: date-time */
            createdAt: string;
            /** @description Who created it: the kind and the id of a caller, as `GET /v1/caller` shows them. */
            createdBy: string;
            /** Format: date-time */
            rotatedAt?: string;
            rotatedBy?: string;
            /**
             * Format: date-time
             * @description After a rotation: until when the old secret is taken too.
             */
            previousUntil?: string;
            /** @description From this time on the key is refused. Without it, the key does not expire. */
            expiresAt?: string;
            /**
             * Format: date-time
             * @description A time at which the key was used. The last use can be some minutes later.
             */
            lastUsedAt?: string;
        };
        /**
         * BackupPage
         * @description A page of groups as they are stored.
         */
        BackupPage: {
            groups: components["schemas"]["StoredGroup"][];
            /** @description The ids of groups of this page that exist but cannot be read: the bytes that the nodes hold for them are not a group. Missing when there are none. The log of the connector has a line for each. */
            unreadable?: string[];
            /** @description Pass it as `after` for the next page. It is left out on the last page. */
            after?: string;
        };
        /**
         * Ballot
         * @description A `proposerId` of 0 is the fast ballot of the round. `text` is the ballot as logs show it.
         */
        Ballot: {
            round: number;
            proposerId: number;
            text: string;
        };
        /**
         * Batch
         * @description The changes: 1 to 1,000 in all. Each group may be named once.
         */
        Batch: {
            create?: components["schemas"]["CreateGroup"][];
            update?: components["schemas"]["BatchUpdate"][];
            delete?: components["schemas"]["BatchDelete"][];
        };
        /**
         * BatchDelete
         * @description A group to delete.
         */
        BatchDelete: {
            /** @description Any Unicode text without control characters, 1 to 256 characters, percent-encoded in paths. Compared byte for byte: no normalisation. */
            groupId: string;
            /** @description As the header `If-Match`: the change is made only if the group has one of these entity tags. */
            ifMatch?: string;
        };
        /**
         * BatchDone
         * @description The change was made, or was not needed. The fields are those of the group: as it is now, or as it was before it was deleted.
         */
        BatchDone: {
            /** @description Any Unicode text without control characters, 1 to 256 characters, percent-encoded in paths. Compared byte for byte: no normalisation. */
            groupId: string;
            /** @description The HTTP status that this change would have alone. */
            status: number;
            /** @description As the header `ETag`. */
            etag: string;
            /** @description One higher with every change since the group was created. */
            version: number;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
            /** @description true: the same change was made before, and has changed nothing now. */
            replayed?: boolean;
        };
        /**
         * BatchFailed
         * @description The change was refused or has failed. `problem.outcome` says whether the change may have been made, as after a single request.
         */
        BatchFailed: {
            /** @description Any Unicode text without control characters, 1 to 256 characters, percent-encoded in paths. Compared byte for byte: no normalisation. */
            groupId: string;
            /** @description The HTTP status that this change would have alone. */
            status: number;
            problem: components["schemas"]["Problem"];
        };
        /**
         * BatchResult
         * @description What became of each change, in the order of the request.
         */
        BatchResult: {
            create: (components["schemas"]["BatchDone"] | components["schemas"]["BatchFailed"])[];
            update: (components["schemas"]["BatchDone"] | components["schemas"]["BatchFailed"])[];
            delete: (components["schemas"]["BatchDone"] | components["schemas"]["BatchFailed"])[];
        };
        /**
         * BatchUpdate
         * @description A JSON merge patch (RFC 7396) of one group.
         */
        BatchUpdate: {
            /** @description Any Unicode text without control characters, 1 to 256 characters, percent-encoded in paths. Compared byte for byte: no normalisation. */
            groupId: string;
            /** @description As the header `If-Match`: the change is made only if the group has one of these entity tags. */
            ifMatch?: string;
            /** @description Any text. The only control characters allowed are tab, line feed and carriage return. */
            description?: string | null;
            /** @description Labels to set. A null for a value removes that label; null instead of the object removes all labels. */
            labels?: {
                [key: string]: string | null;
            } | null;
        };
        /**
         * Caller
         * @description Who sends a request, and what it may do.
         */
        Caller: {
            /**
             * @description How the caller has shown who it is. `anonymous`: the connector has no authentication.
             * @enum {string}
             */
            kind: "anonymous" | "key" | "admin-key" | "jwt" | "certificate";
            /** @description Names the caller among those of its kind. */
            id: string;
            /** @description For people. */
            name: string;
            /**
             * @description `reader` reads groups. `writer` also creates, changes and deletes them. `admin` may do everything. `monitor` sees the metrics and the state of the cluster, and no group.
             * @enum {string}
             */
            role: "reader" | "writer" | "admin" | "monitor";
            /** @description The key may read and change only groups whose id begins with this text. Without it: all groups. */
            prefix?: string;
        };
        /**
         * ClusterStatus
         * @description The cluster, as this connector sees it at the moment.
         */
        ClusterStatus: {
            /**
             * @description `degraded`: a quorum of nodes answers, so all requests are served, but something needs attention. `unavailable`: no quorum answers.
             * @enum {string}
             */
            verdict: "healthy" | "degraded" | "unavailable";
            /** @description Why this is the verdict, in a sentence. */
            reason: string;
            clusterId: string | null;
            epoch: number | null;
            quorum: number | null;
            change: string | null;
            replacement: {
                /** @description The member that does not answer. */
                nodeId: string;
                /** @description The empty node that will replace it. */
                newNodeId: string;
                /** @description host:port, where this connector reaches the node. */
                address: string;
                /** @description How many seconds the member still has to come back with its data. */
                seconds: number;
            } | null;
            members: components["schemas"]["MemberStatus"][];
            /** @description What needs attention although the cluster is well: certificates that expire within 30 days. Each is a sentence. */
            notices: string[];
            /** @description Different states that two nodes hold as chosen at one ballot. This must never happen. */
            divergences: {
                /** @description How many this connector has found and has not seen repaired. */
                count: number;
                /** @description The first 20 of them. */
                first: components["schemas"]["Divergence"][];
            };
            database?: components["schemas"]["DatabaseStatus"];
        };
        /**
         * CreateGroup
         * @description The group to create.
         */
        CreateGroup: {
            /** @description Any Unicode text without control characters, 1 to 256 characters, percent-encoded in paths. Compared byte for byte: no normalisation. */
            groupId: string;
            /** @description Any text. The only control characters allowed are tab, line feed and carriage return. */
            description?: string;
            /** @description At most 64; keys of 1 to 63 characters, values of at most 256, without control characters. */
            labels?: {
                [key: string]: string;
            };
        };
        /**
         * CreateKey
         * @description The key to create.
         */
        CreateKey: {
            /** @description What the key is for, for people. Other keys may have the same name. 1 to 100 characters, without control characters. */
            name: string;
            /**
             * @description `reader` reads groups. `writer` also creates, changes and deletes them. `admin` may do everything. `monitor` sees the metrics and the state of the cluster, and no group.
             * @enum {string}
             */
            role: "reader" | "writer" | "admin" | "monitor";
            /** @description The key may read and change only groups whose id begins with this text. Without it: all groups. */
            prefix?: string;
            /** @description From this time on the key is refused. Without it, the key does not expire. */
            expiresAt?: string;
        };
        /**
         * DatabaseStatus
         * @description The database, with the engine postgres.
         */
        DatabaseStatus: {
            primary: string | null;
            version: string | null;
            timeline: number | null;
            synchronousNames: string | null;
            waitsFor: number | null;
            /** @description How many standbys this connector asks for (--synchronous-standbys). */
            required: number;
            standbys: components["schemas"]["StandbyStatus"][];
        };
        /**
         * Divergence
         * @description Two nodes hold different states as chosen at one ballot.
         */
        Divergence: {
            /** @description `group/` and the id of the group. */
            key: string;
            ballot: components["schemas"]["Ballot"];
            /** @description The two nodes that hold different states. */
            nodeIds: string[];
        };
        /**
         * Group
         * @description A group.
         */
        Group: {
            /** @description Any Unicode text without control characters, 1 to 256 characters, percent-encoded in paths. Compared byte for byte: no normalisation. */
            groupId: string;
            /** @description Any text. The only control characters allowed are tab, line feed and carriage return. */
            description?: string;
            /** @description At most 64; keys of 1 to 63 characters, values of at most 256, without control characters. */
            labels?: {
                [key: string]: string;
            };
            /** @description One higher with every change since the group was created. */
            version: number;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
            /** @description Who has made the last change: the kind of the caller and its id. `anonymous:everyone` if the connector has asked nobody. Missing if a version of Cohort before this field has made the change. */
            updatedBy?: string;
            /** @description The `X-Request-Id` of the request that has made the last change. Given together with `updatedBy`. */
            requestId?: string;
        };
        /**
         * GroupList
         * @description A page of groups.
         */
        GroupList: {
            /** @description Empty with `fields=groupId`. */
            groups: components["schemas"]["Group"][];
            /** @description The ids of the groups. Only with `fields=groupId`. */
            groupIds?: string[];
            /** @description The ids of groups of this page that exist but cannot be read: the bytes that the nodes hold for them are not a group. Missing when there are none. The log of the connector has a line for each. */
            unreadable?: string[];
            /** @description Pass it as `after` for the next page. It is left out on the last page. */
            after?: string;
        };
        /**
         * GroupMember
         * @description A member of a group.
         */
        GroupMember: {
            /** @description Any Unicode text without control characters, 1 to 256 characters, percent-encoded in paths. Compared byte for byte: no normalisation. */
            groupId: string;
            /** @description Who is a member: any Unicode text without control characters, 1 to 256 characters, percent-encoded in paths. Compared byte for byte: no normalisation. */
            memberId: string;
            /** @description What the member is in the group. Cohort gives it no meaning. */
            role?: string;
            /** @description One higher with every change since the member was added. */
            version: number;
            /** Format: date-time */
            addedAt: string;
            /** Format: date-time */
            updatedAt: string;
            /** @description Who has made the last change: the kind of the caller and its id. `anonymous:everyone` if the connector has asked nobody. Missing if a version of Cohort before this field has made the change. */
            updatedBy?: string;
            /** @description The `X-Request-Id` of the request that has made the last change. Given together with `updatedBy`. */
            requestId?: string;
        };
        /**
         * GroupMemberBatch
         * @description Whom to add and whom to remove: at most 1,000 in all. Those to add are added first.
         */
        GroupMemberBatch: {
            add?: {
                /** @description Who is a member: any Unicode text without control characters, 1 to 256 characters, percent-encoded in paths. Compared byte for byte: no normalisation. */
                memberId: string;
                /** @description What the member is in the group. Cohort gives it no meaning. */
                role?: string;
            }[];
            remove?: string[];
        };
        /**
         * GroupMemberBatchResult
         * @description What became of each member.
         */
        GroupMemberBatchResult: {
            /** @description In the order of the request. */
            add: ({
                /** @description Who is a member: any Unicode text without control characters, 1 to 256 characters, percent-encoded in paths. Compared byte for byte: no normalisation. */
                memberId: string;
                /** @description The HTTP status that the request for this member would have alone. */
                status: number;
                /** @description As the header `ETag`. */
                etag: string;
            } | {
                /** @description Who is a member: any Unicode text without control characters, 1 to 256 characters, percent-encoded in paths. Compared byte for byte: no normalisation. */
                memberId: string;
                /** @description The HTTP status that the request for this member would have alone. */
                status: number;
                problem: components["schemas"]["Problem"];
            })[];
            /** @description In the order of the request. */
            remove: ({
                /** @description Who is a member: any Unicode text without control characters, 1 to 256 characters, percent-encoded in paths. Compared byte for byte: no normalisation. */
                memberId: string;
                /** @description The HTTP status that the request for this member would have alone. */
                status: number;
                /** @description As the header `ETag`. */
                etag: string;
            } | {
                /** @description Who is a member: any Unicode text without control characters, 1 to 256 characters, percent-encoded in paths. Compared byte for byte: no normalisation. */
                memberId: string;
                /** @description The HTTP status that the request for this member would have alone. */
                status: number;
                problem: components["schemas"]["Problem"];
            })[];
        };
        /**
         * GroupMemberList
         * @description A page of the members of a group.
         */
        GroupMemberList: {
            members: components["schemas"]["GroupMember"][];
            /** @description Members of this page that exist but cannot be read. Missing when there are none. The log of the connector has a line for each. */
            unreadable?: string[];
            /** @description Pass it as `after` for the next page. It is left out on the last page. */
            after?: string;
        };
        /**
         * GroupReplicas
         * @description What each member holds for one group. Each member was asked separately, and nothing was repaired.
         */
        GroupReplicas: {
            /** @description Any Unicode text without control characters, 1 to 256 characters, percent-encoded in paths. Compared byte for byte: no normalisation. */
            groupId: string;
            /** @description Whether every member answered with a whole record, and all hold the same state. */
            agree: boolean;
            /** @description Whether members that answered hold different states. If the members neither agree nor differ, some did not answer. */
            differ: boolean;
            /** @description What `agree` and `differ` mean here, in a sentence. */
            reason: string;
            replicas: components["schemas"]["Replica"][];
        };
        /**
         * GroupsOfList
         * @description A page of the groups that somebody is in.
         */
        GroupsOfList: {
            /** @description The member, in each of the groups. */
            groups: components["schemas"]["GroupMember"][];
            /** @description The ids of groups of this page that exist but cannot be read: the bytes that the nodes hold for them are not a group. Missing when there are none. The log of the connector has a line for each. */
            unreadable?: string[];
            /** @description Pass it as `after` for the next page. It is left out on the last page. */
            after?: string;
        };
        /**
         * IssuedKey
         * @description An API key with its secret.
         */
        IssuedKey: {
            key: components["schemas"]["ApiKey"];
            /** @description The key itself, to be sent as `Authorization: Bearer`. It is shown only in this answer: the cluster keeps only its hash. */
            token: string;
        };
        /**
         * KeyList
         * @description A page of API keys. A page can be short or empty: only the last page has no `after`.
         */
        KeyList: {
            keys: components["schemas"]["ApiKey"][];
            /** @description The ids of keys that exist but cannot be read. Missing when there are none. */
            unreadable?: string[];
            /** @description Pass it as `after` for the next page. It is left out on the last page. */
            after?: string;
        };
        /**
         * Member
         * @description The node that shall become a member.
         */
        Member: {
            /** @description host:port, at which the connectors reach the node. */
            address: string;
        };
        /**
         * MemberBackupPage
         * @description A page of the members of all groups as they are stored.
         */
        MemberBackupPage: {
            members: components["schemas"]["StoredGroupMember"][];
            /** @description Members of this page that exist but cannot be read. Missing when there are none. */
            unreadable?: {
                /** @description Any Unicode text without control characters, 1 to 256 characters, percent-encoded in paths. Compared byte for byte: no normalisation. */
                groupId: string;
                /** @description Who is a member: any Unicode text without control characters, 1 to 256 characters, percent-encoded in paths. Compared byte for byte: no normalisation. */
                memberId: string;
            }[];
            /** @description Pass it as `after` for the next page. It is left out on the last page. */
            after?: string;
        };
        /**
         * MemberStatus
         * @description A member, as this connector sees it.
         */
        MemberStatus: {
            nodeId: string | null;
            /** @description host:port, where this connector reaches the node. */
            address: string;
            /**
             * @description `joining` and `leaving` only while the membership changes.
             * @enum {string}
             */
            role: "voting" | "joining" | "leaving";
            progress: number | null;
            /** @description Whether this connector has a working stream to the node. */
            reachable: boolean;
            /** @description Whether requests do not wait for the node at the moment, because it is slow or not reachable. */
            suspect: boolean;
            latencyMs: {
                p50: number;
                p99: number;
            } | null;
            lag: number | null;
            records: number | null;
            tombstones: number | null;
            stubs: number | null;
            damaged: number | null;
            healed: number | null;
            version: string | null;
            epoch: number | null;
            problem: string | null;
        };
        /**
         * MembershipChange
         * @description A change of the membership that is chosen and under way.
         */
        MembershipChange: {
            clusterId: string;
            /** @description The epoch that the change begins. The change is complete when `GET /v1/cluster` shows a higher epoch. */
            epoch: number;
            /** @description The nodes that will be the members. */
            members: {
                nodeId: string;
                address: string;
            }[];
            /** @description The nodes that were the members before. They decide together with the new members until the change is complete. Absent when the change is complete already. */
            outgoing?: {
                nodeId: string;
                address: string;
            }[];
        };
        /**
         * Problem
         * @description An error (RFC 9457).
         */
        Problem: {
            /** @description Always about:blank: the code says what happened. */
            type: string;
            /** @description What the code means, as a sentence for people. */
            title: string;
            /** @description The HTTP status of the answer. */
            status: number;
            /**
             * @description Stable: a code never changes its meaning (docs/errors.md). A later version may add codes: decide by the status when you do not know the code.
             * @enum {string}
             */
            code: "invalid_request" | "invalid_json" | "invalid_path" | "invalid_http" | "too_many_labels" | "unauthenticated" | "forbidden" | "not_found" | "group_not_found" | "key_not_found" | "group_member_not_found" | "member_not_found" | "method_not_allowed" | "request_timeout" | "group_exists" | "change_in_progress" | "already_a_member" | "node_not_empty" | "too_few_members" | "too_many_members" | "members_unreachable" | "version_mismatch" | "precondition_failed" | "body_too_large" | "unsupported_media_type" | "misdirected_request" | "idempotency_key_reused" | "node_unreachable" | "rate_limited" | "headers_too_large" | "unreadable_group" | "unreadable_key" | "internal_error" | "method_not_implemented" | "not_ready" | "overloaded" | "unavailable" | "outcome_unknown";
            /** @description What happened this time, for people. */
            detail?: string;
            /**
             * @description `not_applied`: nothing was changed, and nothing will be. `unknown`: the change may have been made, or may still be made.
             * @enum {string}
             */
            outcome?: "not_applied" | "unknown";
            /** @description As in the header `X-Request-Id`. */
            requestId: string;
            /** @description The errors in the request, one for each field. If there are more than 16, the last entry says so. */
            errors?: {
                field: string;
                message: string;
            }[];
        };
        /**
         * PutGroupMember
         * @description What the member is in the group. Without a role, the member has none.
         */
        PutGroupMember: {
            /** @description What the member is in the group. Cohort gives it no meaning. */
            role?: string;
        };
        /**
         * Replica
         * @description What one member holds for the group.
         */
        Replica: {
            nodeId: string;
            /** @description host:port, where this connector reaches the node. */
            address: string;
            /**
             * @description `tombstone`: the group was deleted. `stub`: the tombstone is removed, and only a promise is left. `absent`: nothing. `damaged`: the disk of the node has spoiled the record, which has no vote until it has healed. `unreachable`: the node did not answer.
             * @enum {string}
             */
            holds: "group" | "tombstone" | "stub" | "absent" | "damaged" | "unreachable";
            version: number | null;
            generation: number | null;
            writeId: {
                proposerId: number;
                sequence: number;
                text: string;
            } | null;
            ballot: components["schemas"]["Ballot"] | null;
            chosen: boolean | null;
            promised: components["schemas"]["Ballot"] | null;
        };
        /**
         * Restore
         * @description The groups to restore.
         */
        Restore: {
            groups: components["schemas"]["StoredGroup"][];
        };
        /**
         * RestoreMembers
         * @description The members to restore.
         */
        RestoreMembers: {
            members: components["schemas"]["StoredGroupMember"][];
        };
        /**
         * RestoreMembersResult
         * @description How many members were restored, and which were not.
         */
        RestoreMembersResult: {
            /** @description How many members were restored. */
            restored: number;
            /** @description How many were there already, with the same content. */
            unchanged: number;
            /** @description The members that are there with another content, or whose group does not exist. */
            conflicts: {
                /** @description Any Unicode text without control characters, 1 to 256 characters, percent-encoded in paths. Compared byte for byte: no normalisation. */
                groupId: string;
                /** @description Who is a member: any Unicode text without control characters, 1 to 256 characters, percent-encoded in paths. Compared byte for byte: no normalisation. */
                memberId: string;
            }[];
        };
        /**
         * RestoreResult
         * @description How many groups were restored, and which were not.
         */
        RestoreResult: {
            /** @description How many groups were restored. */
            restored: number;
            /** @description How many groups existed already with the same content. */
            unchanged: number;
            /** @description The ids under which a different group, or another version of the group, exists. Those groups were not changed. */
            conflicts: string[];
        };
        /**
         * RotateKey
         * @description How to rotate a key. Without `expiresAt`, the expiry stays as it is.
         */
        RotateKey: {
            /**
             * @description For how long the old secret is taken too, so that programs can change to the new one.
             * @default 0
             */
            overlapSeconds?: number;
            /** @description From this time on the key is refused. Without it, the key does not expire. */
            expiresAt?: string;
        };
        /**
         * StandbyStatus
         * @description A standby, as the primary sees it.
         */
        StandbyStatus: {
            /** @description Its application_name. */
            name: string;
            address: string | null;
            /** @description As in pg_stat_replication: streaming, catchup, … */
            state: string;
            /** @description Whether commits may wait for it. */
            isSynchronous: boolean;
            replayLagMs: number | null;
        };
        /**
         * StoredGroup
         * @description A group with all fields that are stored.
         */
        StoredGroup: {
            /** @description Any Unicode text without control characters, 1 to 256 characters, percent-encoded in paths. Compared byte for byte: no normalisation. */
            groupId: string;
            /** @description Any text. The only control characters allowed are tab, line feed and carriage return. */
            description?: string;
            /** @description At most 64; keys of 1 to 63 characters, values of at most 256, without control characters. */
            labels?: {
                [key: string]: string;
            };
            version: number;
            /** @description Tells one group from a later one that has the same id. Version and incarnation make the ETag: `"version-incarnation"`. */
            incarnation: string;
            createdAt: string;
            updatedAt: string;
            /** @description Who has made the last change: the kind of the caller and its id. `anonymous:everyone` if the connector has asked nobody. Missing if a version of Cohort before this field has made the change. */
            updatedBy?: string;
            /** @description The `X-Request-Id` of the request that has made the last change. Given together with `updatedBy`. */
            requestId?: string;
        };
        /**
         * StoredGroupMember
         * @description A member of a group with all fields that are stored.
         */
        StoredGroupMember: {
            /** @description Any Unicode text without control characters, 1 to 256 characters, percent-encoded in paths. Compared byte for byte: no normalisation. */
            groupId: string;
            /** @description Who is a member: any Unicode text without control characters, 1 to 256 characters, percent-encoded in paths. Compared byte for byte: no normalisation. */
            memberId: string;
            /** @description What the member is in the group. Cohort gives it no meaning. */
            role?: string;
            version: number;
            /** @description Tells one group from a later one that has the same id. Version and incarnation make the ETag: `"version-incarnation"`. */
            incarnation: string;
            addedAt: string;
            updatedAt: string;
            /** @description Who has made the last change: the kind of the caller and its id. `anonymous:everyone` if the connector has asked nobody. Missing if a version of Cohort before this field has made the change. */
            updatedBy?: string;
            /** @description The `X-Request-Id` of the request that has made the last change. Given together with `updatedBy`. */
            requestId?: string;
        };
        /**
         * UpdateGroup
         * @description A JSON merge patch (RFC 7396).
         */
        UpdateGroup: {
            /** @description Any text. The only control characters allowed are tab, line feed and carriage return. */
            description?: string | null;
            /** @description Labels to set. A null for a value removes that label; null instead of the object removes all labels. */
            labels?: {
                [key: string]: string | null;
            } | null;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listGroups: {
        parameters: {
            query?: {
                /** @description The page starts after this id, also if no group has it. The id has 1 to 256 characters. Without `after`, the page starts at the first group. */
                after?: string;
                /** @description How many entries a page has at most. */
                limit?: number;
                /** @description Only groups whose ids begin with this text. Other groups are not read, so a page takes as long as if they did not exist. */
                prefix?: string;
                /** @description Only groups with these labels, as a selector in the grammar of Kubernetes: requirements with commas between them, which must all hold: `key`, `!key`, `key=value`, `key!=value`, `key in (value,value)`, `key notin (value,value)`. A key or a value with other signs is written as a JSON string. The connector reads the groups without these labels too, and leaves them out, so a page may be short or empty, and still have an `after`. */
                labels?: string;
                /** @description With `groupId`, the page has only the ids of the groups, in `groupIds`. */
                fields?: "groupId";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GroupList"];
                };
            };
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "invalid_request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "forbidden";
                    };
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "precondition_failed";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "rate_limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "internal_error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unavailable" | "overloaded";
                    };
                };
            };
        };
    };
    createGroup: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes the request safe to repeat: 1 to 255 visible ASCII characters, new for each request, for example a UUID. A group remembers the last 8 keys with which it was created or changed. The same request with the same key changes nothing any more, and is answered with the group as it is. Another request with the same key is answered 422 `idempotency_key_reused`. A request that was refused is not remembered, and a deleted group forgets its keys. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateGroup"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Group"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "invalid_json" | "invalid_request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "forbidden";
                    };
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "group_exists";
                    };
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "precondition_failed";
                    };
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "body_too_large";
                    };
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unsupported_media_type";
                    };
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "idempotency_key_reused";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "rate_limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unreadable_group" | "internal_error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unavailable" | "overloaded";
                    };
                };
            };
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "outcome_unknown";
                    };
                };
            };
        };
    };
    batchGroups: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes the request safe to repeat: 1 to 255 visible ASCII characters, new for each request, for example a UUID. A group remembers the last 8 keys with which it was created or changed. The same request with the same key changes nothing any more, and is answered with the group as it is. Another request with the same key is answered 422 `idempotency_key_reused`. A request that was refused is not remembered, and a deleted group forgets its keys. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Batch"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BatchResult"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "invalid_json" | "invalid_request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "forbidden";
                    };
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "precondition_failed";
                    };
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "body_too_large";
                    };
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unsupported_media_type";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "rate_limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "internal_error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unavailable" | "overloaded";
                    };
                };
            };
        };
    };
    getGroup: {
        parameters: {
            query?: never;
            header?: {
                /** @description The request is served only if the group has one of these entity tags; otherwise the answer is 412 `version_mismatch`. `*` matches every group that exists. Weak tags never match (RFC 9110 §13.1.1). */
                "If-Match"?: string;
                /** @description The request is served only if the group has none of these entity tags. Otherwise GET and HEAD answer 304 without a body, and any other method answers 412 `precondition_failed` (RFC 9110 §13.1.2). `*` matches every group that exists. GET and HEAD ignore a value that cannot be read; the other methods refuse it. */
                "If-None-Match"?: string;
            };
            path: {
                /** @description The id: any Unicode text of 1 to 256 characters, without control characters. Ids are compared byte for byte. In a path an id is percent-encoded as UTF-8: `a/b` is `a%2Fb`. The ids `.` and `..` are legal, but most clients remove such a segment from the path before they send it. */
                groupId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Group"];
                };
            };
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "invalid_path" | "invalid_request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "forbidden";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "group_not_found";
                    };
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "version_mismatch" | "precondition_failed";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "rate_limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unreadable_group" | "internal_error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unavailable" | "overloaded";
                    };
                };
            };
        };
    };
    deleteGroup: {
        parameters: {
            query?: never;
            header?: {
                /** @description The request is served only if the group has one of these entity tags; otherwise the answer is 412 `version_mismatch`. `*` matches every group that exists. Weak tags never match (RFC 9110 §13.1.1). */
                "If-Match"?: string;
                /** @description The request is served only if the group has none of these entity tags. Otherwise GET and HEAD answer 304 without a body, and any other method answers 412 `precondition_failed` (RFC 9110 §13.1.2). `*` matches every group that exists. GET and HEAD ignore a value that cannot be read; the other methods refuse it. */
                "If-None-Match"?: string;
            };
            path: {
                /** @description The id: any Unicode text of 1 to 256 characters, without control characters. Ids are compared byte for byte. In a path an id is percent-encoded as UTF-8: `a/b` is `a%2Fb`. The ids `.` and `..` are legal, but most clients remove such a segment from the path before they send it. */
                groupId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Group"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "invalid_path" | "invalid_request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "forbidden";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "group_not_found";
                    };
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "version_mismatch" | "precondition_failed";
                    };
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "body_too_large";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "rate_limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unreadable_group" | "internal_error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unavailable" | "overloaded";
                    };
                };
            };
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "outcome_unknown";
                    };
                };
            };
        };
    };
    updateGroup: {
        parameters: {
            query?: never;
            header?: {
                /** @description The request is served only if the group has one of these entity tags; otherwise the answer is 412 `version_mismatch`. `*` matches every group that exists. Weak tags never match (RFC 9110 §13.1.1). */
                "If-Match"?: string;
                /** @description The request is served only if the group has none of these entity tags. Otherwise GET and HEAD answer 304 without a body, and any other method answers 412 `precondition_failed` (RFC 9110 §13.1.2). `*` matches every group that exists. GET and HEAD ignore a value that cannot be read; the other methods refuse it. */
                "If-None-Match"?: string;
                /** @description Makes the request safe to repeat: 1 to 255 visible ASCII characters, new for each request, for example a UUID. A group remembers the last 8 keys with which it was created or changed. The same request with the same key changes nothing any more, and is answered with the group as it is. Another request with the same key is answered 422 `idempotency_key_reused`. A request that was refused is not remembered, and a deleted group forgets its keys. */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description The id: any Unicode text of 1 to 256 characters, without control characters. Ids are compared byte for byte. In a path an id is percent-encoded as UTF-8: `a/b` is `a%2Fb`. The ids `.` and `..` are legal, but most clients remove such a segment from the path before they send it. */
                groupId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/merge-patch+json": components["schemas"]["UpdateGroup"];
                "application/json": components["schemas"]["UpdateGroup"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Group"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "invalid_json" | "invalid_path" | "too_many_labels" | "invalid_request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "forbidden";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "group_not_found";
                    };
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "version_mismatch" | "precondition_failed";
                    };
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "body_too_large";
                    };
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unsupported_media_type";
                    };
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "idempotency_key_reused";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "rate_limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unreadable_group" | "internal_error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unavailable" | "overloaded";
                    };
                };
            };
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "outcome_unknown";
                    };
                };
            };
        };
    };
    watchGroups: {
        parameters: {
            query?: {
                /** @description Only groups whose ids begin with this text. Other groups are not read, so a page takes as long as if they did not exist. */
                prefix?: string;
                /** @description Only groups with these labels, as a selector in the grammar of Kubernetes: requirements with commas between them, which must all hold: `key`, `!key`, `key=value`, `key!=value`, `key in (value,value)`, `key notin (value,value)`. A key or a value with other signs is written as a JSON string. The connector reads the groups without these labels too, and leaves them out, so a page may be short or empty, and still have an `after`. */
                labels?: string;
                /** @description The `id` of the last event that the client has: the watch goes on from there. The header `Last-Event-ID`, which browsers send by themselves, counts before it. */
                after?: string;
                /** @description Whether all groups that are there come first, and then the event `synced`. They come again after each `reset`, unless the connection was closed. */
                initial?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "invalid_request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "forbidden";
                    };
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "precondition_failed";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "internal_error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unavailable" | "overloaded";
                    };
                };
            };
        };
    };
    getCluster: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClusterStatus"];
                };
            };
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "invalid_request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "forbidden";
                    };
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "precondition_failed";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "rate_limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "internal_error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unavailable" | "overloaded";
                    };
                };
            };
        };
    };
    backUpGroups: {
        parameters: {
            query?: {
                /** @description The page starts after this id, also if no group has it. The id has 1 to 256 characters. Without `after`, the page starts at the first group. */
                after?: string;
                /** @description How many entries a page has at most. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BackupPage"];
                };
            };
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "invalid_request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "forbidden";
                    };
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "precondition_failed";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "rate_limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "internal_error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unavailable" | "overloaded";
                    };
                };
            };
        };
    };
    restoreGroups: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Restore"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RestoreResult"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "invalid_json" | "invalid_request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "forbidden";
                    };
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "precondition_failed";
                    };
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "body_too_large";
                    };
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unsupported_media_type";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "rate_limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unreadable_group" | "internal_error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unavailable" | "overloaded";
                    };
                };
            };
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "outcome_unknown";
                    };
                };
            };
        };
    };
    getReplicas: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id: any Unicode text of 1 to 256 characters, without control characters. Ids are compared byte for byte. In a path an id is percent-encoded as UTF-8: `a/b` is `a%2Fb`. The ids `.` and `..` are legal, but most clients remove such a segment from the path before they send it. */
                groupId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GroupReplicas"];
                };
            };
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "invalid_path" | "invalid_request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "forbidden";
                    };
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "precondition_failed";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "rate_limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "internal_error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unavailable" | "overloaded";
                    };
                };
            };
        };
    };
    getGroupMember: {
        parameters: {
            query?: never;
            header?: {
                /** @description The request is served only if the group has one of these entity tags; otherwise the answer is 412 `version_mismatch`. `*` matches every group that exists. Weak tags never match (RFC 9110 §13.1.1). */
                "If-Match"?: string;
                /** @description The request is served only if the group has none of these entity tags. Otherwise GET and HEAD answer 304 without a body, and any other method answers 412 `precondition_failed` (RFC 9110 §13.1.2). `*` matches every group that exists. GET and HEAD ignore a value that cannot be read; the other methods refuse it. */
                "If-None-Match"?: string;
            };
            path: {
                /** @description The id: any Unicode text of 1 to 256 characters, without control characters. Ids are compared byte for byte. In a path an id is percent-encoded as UTF-8: `a/b` is `a%2Fb`. The ids `.` and `..` are legal, but most clients remove such a segment from the path before they send it. */
                groupId: string;
                /** @description The member: any Unicode text of 1 to 256 characters, without control characters, percent-encoded as UTF-8. */
                memberId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GroupMember"];
                };
            };
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "invalid_path" | "invalid_request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "forbidden";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "group_not_found" | "group_member_not_found";
                    };
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "version_mismatch" | "precondition_failed";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "rate_limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unreadable_group" | "internal_error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unavailable" | "overloaded";
                    };
                };
            };
        };
    };
    putGroupMember: {
        parameters: {
            query?: never;
            header?: {
                /** @description The request is served only if the group has one of these entity tags; otherwise the answer is 412 `version_mismatch`. `*` matches every group that exists. Weak tags never match (RFC 9110 §13.1.1). */
                "If-Match"?: string;
                /** @description The request is served only if the group has none of these entity tags. Otherwise GET and HEAD answer 304 without a body, and any other method answers 412 `precondition_failed` (RFC 9110 §13.1.2). `*` matches every group that exists. GET and HEAD ignore a value that cannot be read; the other methods refuse it. */
                "If-None-Match"?: string;
            };
            path: {
                /** @description The id: any Unicode text of 1 to 256 characters, without control characters. Ids are compared byte for byte. In a path an id is percent-encoded as UTF-8: `a/b` is `a%2Fb`. The ids `.` and `..` are legal, but most clients remove such a segment from the path before they send it. */
                groupId: string;
                /** @description The member: any Unicode text of 1 to 256 characters, without control characters, percent-encoded as UTF-8. */
                memberId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutGroupMember"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GroupMember"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GroupMember"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "invalid_json" | "invalid_path" | "invalid_request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "forbidden";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "group_not_found";
                    };
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "version_mismatch" | "precondition_failed";
                    };
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "body_too_large";
                    };
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unsupported_media_type";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "rate_limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unreadable_group" | "internal_error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unavailable" | "overloaded";
                    };
                };
            };
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "outcome_unknown";
                    };
                };
            };
        };
    };
    removeGroupMember: {
        parameters: {
            query?: never;
            header?: {
                /** @description The request is served only if the group has one of these entity tags; otherwise the answer is 412 `version_mismatch`. `*` matches every group that exists. Weak tags never match (RFC 9110 §13.1.1). */
                "If-Match"?: string;
                /** @description The request is served only if the group has none of these entity tags. Otherwise GET and HEAD answer 304 without a body, and any other method answers 412 `precondition_failed` (RFC 9110 §13.1.2). `*` matches every group that exists. GET and HEAD ignore a value that cannot be read; the other methods refuse it. */
                "If-None-Match"?: string;
            };
            path: {
                /** @description The id: any Unicode text of 1 to 256 characters, without control characters. Ids are compared byte for byte. In a path an id is percent-encoded as UTF-8: `a/b` is `a%2Fb`. The ids `.` and `..` are legal, but most clients remove such a segment from the path before they send it. */
                groupId: string;
                /** @description The member: any Unicode text of 1 to 256 characters, without control characters, percent-encoded as UTF-8. */
                memberId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GroupMember"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "invalid_path" | "invalid_request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "forbidden";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "group_not_found" | "group_member_not_found";
                    };
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "version_mismatch" | "precondition_failed";
                    };
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "body_too_large";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "rate_limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unreadable_group" | "internal_error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unavailable" | "overloaded";
                    };
                };
            };
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "outcome_unknown";
                    };
                };
            };
        };
    };
    listGroupMembers: {
        parameters: {
            query?: {
                /** @description The page starts after this member, also if nobody has this id. Without `after`, the page starts at the first member. */
                after?: string;
                /** @description How many entries a page has at most. */
                limit?: number;
                /** @description Only members with this role. The others are read too, and left out, so a page may be short or empty. */
                role?: string;
            };
            header?: never;
            path: {
                /** @description The id: any Unicode text of 1 to 256 characters, without control characters. Ids are compared byte for byte. In a path an id is percent-encoded as UTF-8: `a/b` is `a%2Fb`. The ids `.` and `..` are legal, but most clients remove such a segment from the path before they send it. */
                groupId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GroupMemberList"];
                };
            };
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "invalid_path" | "invalid_request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "forbidden";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "group_not_found";
                    };
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "precondition_failed";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "rate_limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unreadable_group" | "internal_error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unavailable" | "overloaded";
                    };
                };
            };
        };
    };
    batchGroupMembers: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id: any Unicode text of 1 to 256 characters, without control characters. Ids are compared byte for byte. In a path an id is percent-encoded as UTF-8: `a/b` is `a%2Fb`. The ids `.` and `..` are legal, but most clients remove such a segment from the path before they send it. */
                groupId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GroupMemberBatch"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GroupMemberBatchResult"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "invalid_json" | "invalid_path" | "invalid_request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "forbidden";
                    };
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "precondition_failed";
                    };
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "body_too_large";
                    };
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unsupported_media_type";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "rate_limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "internal_error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unavailable" | "overloaded";
                    };
                };
            };
        };
    };
    listGroupsOfMember: {
        parameters: {
            query?: {
                /** @description The page starts after this id, also if no group has it. The id has 1 to 256 characters. Without `after`, the page starts at the first group. */
                after?: string;
                /** @description How many entries a page has at most. */
                limit?: number;
                /** @description Only groups whose ids begin with this text. Other groups are not read. */
                prefix?: string;
            };
            header?: never;
            path: {
                /** @description The member: any Unicode text of 1 to 256 characters, without control characters, percent-encoded as UTF-8. */
                memberId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GroupsOfList"];
                };
            };
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "invalid_path" | "invalid_request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "forbidden";
                    };
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "precondition_failed";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "rate_limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "internal_error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unavailable" | "overloaded";
                    };
                };
            };
        };
    };
    backUpGroupMembers: {
        parameters: {
            query?: {
                /** @description The `after` of the page before. */
                after?: string;
                /** @description How many entries a page has at most. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MemberBackupPage"];
                };
            };
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "invalid_request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "forbidden";
                    };
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "precondition_failed";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "rate_limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "internal_error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unavailable" | "overloaded";
                    };
                };
            };
        };
    };
    restoreGroupMembers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RestoreMembers"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RestoreMembersResult"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "invalid_json" | "invalid_request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "forbidden";
                    };
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "precondition_failed";
                    };
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "body_too_large";
                    };
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unsupported_media_type";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "rate_limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unreadable_group" | "internal_error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unavailable" | "overloaded";
                    };
                };
            };
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "outcome_unknown";
                    };
                };
            };
        };
    };
    addMember: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Member"];
            };
        };
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MembershipChange"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "invalid_json" | "invalid_request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "forbidden";
                    };
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "change_in_progress" | "members_unreachable" | "already_a_member" | "node_not_empty" | "too_few_members" | "too_many_members";
                    };
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "precondition_failed";
                    };
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "body_too_large";
                    };
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unsupported_media_type";
                    };
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "node_unreachable";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "rate_limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "internal_error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unavailable" | "overloaded";
                    };
                };
            };
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "outcome_unknown";
                    };
                };
            };
        };
    };
    replaceMember: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a member, as `GET /v1/cluster` and `cohort status` show it. A node gets its id when its data directory is made. */
                nodeId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Member"];
            };
        };
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MembershipChange"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "invalid_json" | "invalid_path" | "invalid_request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "forbidden";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "member_not_found";
                    };
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "change_in_progress" | "members_unreachable" | "already_a_member" | "node_not_empty";
                    };
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "precondition_failed";
                    };
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "body_too_large";
                    };
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unsupported_media_type";
                    };
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "node_unreachable";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "rate_limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "internal_error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unavailable" | "overloaded";
                    };
                };
            };
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "outcome_unknown";
                    };
                };
            };
        };
    };
    removeMember: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a member, as `GET /v1/cluster` and `cohort status` show it. A node gets its id when its data directory is made. */
                nodeId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MembershipChange"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "invalid_path" | "invalid_request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "forbidden";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "member_not_found";
                    };
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "change_in_progress" | "members_unreachable" | "too_few_members";
                    };
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "precondition_failed";
                    };
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "body_too_large";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "rate_limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "internal_error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unavailable" | "overloaded";
                    };
                };
            };
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "outcome_unknown";
                    };
                };
            };
        };
    };
    getCaller: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Caller"];
                };
            };
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "invalid_request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "forbidden";
                    };
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "precondition_failed";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "rate_limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "internal_error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unavailable" | "overloaded";
                    };
                };
            };
        };
    };
    listKeys: {
        parameters: {
            query?: {
                /** @description The page starts after this id, also if no key has it. Without it: at the first key. */
                after?: string;
                /** @description How many entries a page has at most. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyList"];
                };
            };
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "invalid_request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "forbidden";
                    };
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "precondition_failed";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "rate_limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "internal_error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unavailable" | "overloaded";
                    };
                };
            };
        };
    };
    createKey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateKey"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IssuedKey"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "invalid_json" | "invalid_request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "forbidden";
                    };
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "precondition_failed";
                    };
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "body_too_large";
                    };
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unsupported_media_type";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "rate_limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unreadable_key" | "internal_error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unavailable" | "overloaded";
                    };
                };
            };
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "outcome_unknown";
                    };
                };
            };
        };
    };
    getKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The public id of the key: the 8 characters after `cohort_` in the key. */
                keyId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiKey"];
                };
            };
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "invalid_request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "forbidden";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "key_not_found";
                    };
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "precondition_failed";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "rate_limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unreadable_key" | "internal_error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unavailable" | "overloaded";
                    };
                };
            };
        };
    };
    revokeKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The public id of the key: the 8 characters after `cohort_` in the key. */
                keyId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiKey"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "invalid_request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "forbidden";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "key_not_found";
                    };
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "precondition_failed";
                    };
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "body_too_large";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "rate_limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unreadable_key" | "internal_error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unavailable" | "overloaded";
                    };
                };
            };
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "outcome_unknown";
                    };
                };
            };
        };
    };
    rotateKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The public id of the key: the 8 characters after `cohort_` in the key. */
                keyId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RotateKey"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IssuedKey"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "invalid_json" | "invalid_request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "forbidden";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "key_not_found";
                    };
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "precondition_failed";
                    };
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "body_too_large";
                    };
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unsupported_media_type";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "rate_limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unreadable_key" | "internal_error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "unavailable" | "overloaded";
                    };
                };
            };
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code: "outcome_unknown";
                    };
                };
            };
        };
    };
}
