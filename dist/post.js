// What follows the step, however it ended: where it was cancelled or killed, no check is left behind unfinished.
'use strict';

require('./launch').post();
