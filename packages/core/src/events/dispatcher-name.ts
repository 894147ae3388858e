/** What a dispatcher may be called: it is part of a queue's name and of `dispatch://` targets. */
export const DISPATCHER_NAME_PATTERN = /^[a-z0-9-]{1,64}$/
