import numpy as np
from numpy.typing import NDArray

def bisect(times: NDArray[np.int64], t: int) -> int: ...
