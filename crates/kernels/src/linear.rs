//! Symmetric 3 x 3 matrices.

/// Three rows of three.
pub(crate) type Matrix = [[f64; 3]; 3];

/// Sweeps of Jacobi rotations; 3 x 3 converges in fewer than ten.
const SWEEPS: usize = 16;

pub(crate) fn multiply(a: &Matrix, b: &Matrix) -> Matrix {
    std::array::from_fn(|i| {
        std::array::from_fn(|j| a[i][0] * b[0][j] + a[i][1] * b[1][j] + a[i][2] * b[2][j])
    })
}

pub(crate) fn transform(a: &Matrix, v: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|i| a[i][0] * v[0] + a[i][1] * v[1] + a[i][2] * v[2])
}

/// Applies `f` to the eigenvalues of a symmetric matrix.
pub(crate) fn spectral(a: &Matrix, f: impl Fn(f64) -> f64) -> Matrix {
    let (values, vectors) = eigen(*a);
    let mut out = [[0.0; 3]; 3];
    for k in 0..3 {
        let value = f(values[k]);
        for i in 0..3 {
            for j in 0..3 {
                out[i][j] += value * vectors[i][k] * vectors[j][k];
            }
        }
    }
    out
}

/// Eigenvalues, and eigenvectors as columns, by cyclic Jacobi rotations.
fn eigen(mut a: Matrix) -> ([f64; 3], Matrix) {
    let mut vectors = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    for _ in 0..SWEEPS {
        for (p, q) in [(0, 1), (0, 2), (1, 2)] {
            if a[p][q].abs() < 1e-15 {
                continue;
            }
            let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
            let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
            let t = if theta == 0.0 { 1.0 } else { t };
            let c = 1.0 / (t * t + 1.0).sqrt();
            let s = t * c;
            for row in &mut a {
                (row[p], row[q]) = (c * row[p] - s * row[q], s * row[p] + c * row[q]);
            }
            let (above, below) = (a[p], a[q]);
            a[p] = std::array::from_fn(|k| c * above[k] - s * below[k]);
            a[q] = std::array::from_fn(|k| s * above[k] + c * below[k]);
            for row in &mut vectors {
                (row[p], row[q]) = (c * row[p] - s * row[q], s * row[p] + c * row[q]);
            }
        }
    }
    ([a[0][0], a[1][1], a[2][2]], vectors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_squares_to_the_matrix() {
        let a = [[4.0, 1.0, -0.5], [1.0, 3.0, 0.7], [-0.5, 0.7, 2.0]];
        let root = spectral(&a, f64::sqrt);
        let square = multiply(&root, &root);
        for i in 0..3 {
            for j in 0..3 {
                assert!((square[i][j] - a[i][j]).abs() < 1e-12);
            }
        }
    }
}
